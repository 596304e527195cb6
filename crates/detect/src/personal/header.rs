//! What a table is about, by the names of its columns; what a record is about, by its keys.

/// How far the names of a table are looked for.
const LOOKED: usize = 16 << 10;
/// More columns than any table of people has.
const COLUMNS: usize = 400;

/// What a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// Names, addresses, birthdays.
    People,
    /// Employment and pay.
    Employees,
    /// Health.
    Health,
}

impl Subject {
    /// The rule, the title, and what a row stands for.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::People => ("personal.people", "table of people"),
            Self::Employees => ("personal.hr", "employment records"),
            Self::Health => ("personal.health", "health records"),
        }
    }
}

const HEALTH: [&str; 34] = [
    "patient",
    "patient_id",
    "patientid",
    "diagnosis",
    "diagnose",
    "diagnosen",
    "icd",
    "icd10",
    "icd_10",
    "icd_code",
    "medication",
    "medikation",
    "prescription",
    "blood_type",
    "bloodtype",
    "blutgruppe",
    "allergy",
    "allergies",
    "allergien",
    "treatment",
    "behandlung",
    "symptoms",
    "mrn",
    "medical_record",
    "befund",
    "krankenkasse",
    "versichertennummer",
    "dosage",
    "hba1c",
    "lab_result",
    "physician",
    "arzt",
    "hospital",
    "vaccine",
];
const EMPLOYEES: [&str; 32] = [
    "salary",
    "base_salary",
    "annual_salary",
    "gehalt",
    "bruttogehalt",
    "lohn",
    "bruttolohn",
    "wage",
    "hourly_rate",
    "payroll",
    "bonus",
    "gross_pay",
    "net_pay",
    "employee",
    "employee_id",
    "employeeid",
    "emp_id",
    "personalnummer",
    "hire_date",
    "hiredate",
    "eintrittsdatum",
    "termination_date",
    "job_title",
    "jobtitle",
    "steuerklasse",
    "tax_class",
    "sick_days",
    "performance_rating",
    "salaire",
    "sueldo",
    "stipendio",
    "department",
];
const PAY: [&str; 17] = [
    "salary",
    "base_salary",
    "annual_salary",
    "gehalt",
    "bruttogehalt",
    "lohn",
    "bruttolohn",
    "wage",
    "hourly_rate",
    "gross_pay",
    "net_pay",
    "bonus",
    "salaire",
    "sueldo",
    "stipendio",
    "payroll",
    "sick_days",
];
const PEOPLE: [&str; 50] = [
    "first_name",
    "firstname",
    "last_name",
    "lastname",
    "surname",
    "full_name",
    "fullname",
    "given_name",
    "family_name",
    "name",
    "vorname",
    "nachname",
    "nom",
    "prenom",
    "apellido",
    "nombre",
    "cognome",
    "dob",
    "date_of_birth",
    "birth_date",
    "birthdate",
    "birthday",
    "geburtsdatum",
    "address",
    "street",
    "strasse",
    "straße",
    "adresse",
    "anschrift",
    "postcode",
    "postal_code",
    "zip",
    "zip_code",
    "plz",
    "city",
    "ort",
    "stadt",
    "phone",
    "phone_number",
    "telefon",
    "mobile",
    "email",
    "e_mail",
    "mail",
    "gender",
    "geschlecht",
    "passport",
    "passport_number",
    "nationality",
    "kunde",
];

/// A table or a list of records with a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) subject: Subject,
    /// Rows, the header not counted; for records how often the telling key stands there.
    pub(super) rows: u64,
    /// The names that told it: never values.
    pub(super) columns: Vec<String>,
}

/// What the text is a table of; none when it is no table of people.
pub(super) fn table(text: &str) -> Option<Table> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with(['{', '[']) {
        return records(text);
    }
    let line = text.lines().next()?;
    let mark = ['\t', ';', '|', ','].into_iter().find(|mark| line.matches(*mark).count() >= 2)?;
    let names: Vec<String> = line.split(mark).take(COLUMNS).map(normal).collect();
    let (subject, columns) = subject(&names)?;
    let rows = text.lines().skip(1).filter(|line| line.contains(mark)).count();
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    (rows > 0).then_some(Table { subject, rows, columns })
}

fn records(text: &str) -> Option<Table> {
    let mut end = text.len().min(LOOKED);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let start = text.get(..end)?;
    let mut names = Vec::new();
    for piece in start.split("\":").take(COLUMNS) {
        let name = normal(piece.rsplit('"').next().unwrap_or(""));
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    let (subject, columns) = subject(&names)?;
    // The names are normal forms: count the key as it is written, whichever is there most.
    let rows = columns
        .iter()
        .map(|name| {
            let key = format!("\"{name}\"");
            memchr::memmem::find_iter(text.as_bytes(), key.as_bytes()).count()
        })
        .max()
        .unwrap_or(0);
    let rows = u64::try_from(rows).unwrap_or(u64::MAX).max(1);
    Some(Table { subject, rows, columns })
}

fn normal(name: &str) -> String {
    let name = name.trim().trim_matches(['"', '\'']).trim().to_lowercase();
    if name.len() > 60 { String::new() } else { name.replace([' ', '-', '.'], "_") }
}

fn subject(names: &[String]) -> Option<(Subject, Vec<String>)> {
    let of = |words: &[&str]| -> Vec<String> {
        names.iter().filter(|name| words.contains(&name.as_str())).cloned().collect()
    };
    let (health, work, people) = (of(&HEALTH), of(&EMPLOYEES), of(&PEOPLE));
    let pay = !of(&PAY).is_empty();
    let told = |subject, first: Vec<String>| {
        let mut columns = first;
        columns.extend(people.iter().cloned());
        columns.sort();
        columns.dedup();
        columns.truncate(12);
        Some((subject, columns))
    };
    if health.len() >= 2 || (health.len() == 1 && people.len() >= 2) {
        return told(Subject::Health, health);
    }
    if pay && (work.len() >= 2 || people.len() >= 2) {
        return told(Subject::Employees, work);
    }
    if people.len() >= 3 {
        return told(Subject::People, Vec::new());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<(Subject, u64)> {
        table(text).map(|table| (table.subject, table.rows))
    }

    #[test]
    fn columns_tell_what_a_table_is_about() {
        assert_eq!(of("Patient ID;Diagnosis;DOB\n1;x;y\n2;x;y\n"), Some((Subject::Health, 2)));
        assert_eq!(of("Name,Department,Salary\na,b,1\n"), Some((Subject::Employees, 1)));
        assert_eq!(of("id,first_name,last_name,email\n1,a,b,c\n"), Some((Subject::People, 1)));
        let json = "[{\"first_name\":\"a\",\"last_name\":\"b\",\"email\":\"c\"},\
                    {\"first_name\":\"a\",\"last_name\":\"b\",\"email\":\"c\"}]";
        assert_eq!(of(json), Some((Subject::People, 2)));
    }

    #[test]
    fn other_tables_and_texts_are_not_about_people() {
        for text in [
            "id,name,version\n1,a,2\n",
            "time;level;message\n1;2;3\n",
            "{\"name\":\"x\",\"version\":\"1\"}",
            "The patient, it seems, had no diagnosis, of course.",
            "first_name,last_name,email",
            "",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
