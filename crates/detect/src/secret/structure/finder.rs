//! From a text to what in it is a secret, and what only looked like one.

use super::format::Source;
use super::judge::{Judged, Kind, Reason, judge};
use super::pair::Pairs;
use super::surroundings::Surroundings;
use super::table;
use lidless_core::{Confidence, Pieces, Severity};
use std::ops::Range;

/// A secret by its key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// Names from the outermost, with dots.
    pub(crate) key: String,
    /// Where the value stands in the text.
    pub(crate) span: Range<usize>,
    pub(crate) judged: Judged,
}

/// A value under the key of a secret that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
    pub(crate) reason: Reason,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Verdicts {
    pub(crate) found: Vec<Found>,
    /// What was left out, with the reason.
    pub(crate) left: Vec<Left>,
    /// How many pairs there was no room for.
    pub(crate) dropped: usize,
}

/// Reads a text in its format and judges what it holds; of a program only pieces that may hold a
/// pair.
pub(crate) fn find(path: &str, text: &str, pieces: Option<&Pieces>) -> Verdicts {
    let lower = path.to_ascii_lowercase();
    let source = Source { pieces, ..Source::new(&lower, text) };
    let pairs: Pairs<'_> = table::pairs(&source);
    let surroundings = Surroundings::of(&lower, &pairs);
    let mut verdicts = Verdicts { dropped: pairs.dropped(), ..Verdicts::default() };
    for pair in pairs.list() {
        let (key, span) = (pair.path.clone(), pair.span.clone());
        match judge(pair, &pairs, &surroundings) {
            Some(Ok(judged)) => verdicts.found.push(Found { key, span, judged }),
            Some(Err(reason)) => verdicts.left.push(Left { key, span, reason }),
            None => {}
        }
    }
    // A value may be reached by two ways, as an attribute and as a pair: the surer one stays.
    verdicts.found.sort_by(|a, b| {
        a.span
            .start
            .cmp(&b.span.start)
            .then_with(|| b.judged.confidence.cmp(&a.judged.confidence))
            .then_with(|| a.span.end.cmp(&b.span.end))
    });
    let mut end = 0;
    verdicts.found.retain(|one| {
        let free = one.span.start >= end;
        end = end.max(one.span.end);
        free
    });
    verdicts
}

impl Found {
    /// The rule of its finding.
    pub(crate) fn rule(&self) -> &'static str {
        match self.judged.kind {
            Kind::Password => "secret.password",
            Kind::Token => "secret.token",
            Kind::Hash(_) => "secret.password_hash",
            Kind::Sealed(_) => "secret.password_encrypted",
            Kind::Connection => "secret.connection_string",
        }
    }

    /// What it is, in a few words.
    pub(crate) fn title(&self) -> &'static str {
        match self.judged.kind {
            Kind::Password => "password in configuration",
            Kind::Token => "key or token in configuration",
            Kind::Hash(_) => "password hash of a user",
            Kind::Sealed(_) => "encrypted password",
            Kind::Connection => "password in a connection string",
        }
    }

    /// How bad it is: what is sure is worse, what has to be broken first is not as bad.
    pub(crate) fn severity(&self) -> Severity {
        match (self.judged.kind, self.judged.confidence) {
            (Kind::Sealed(_), _) => Severity::Low,
            (Kind::Hash(_), Confidence::High) => Severity::High,
            (Kind::Hash(_), _) => Severity::Medium,
            (_, Confidence::High) => Severity::High,
            (_, Confidence::Medium) => Severity::Medium,
            (_, Confidence::Low) => Severity::Low,
        }
    }

    /// How a hash is made, or what opens an encrypted password.
    pub(crate) fn how(&self) -> Option<&'static str> {
        match self.judged.kind {
            Kind::Hash(how) | Kind::Sealed(how) => Some(how),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(path: &str, text: &str) -> Vec<String> {
        find(path, text, None)
            .found
            .into_iter()
            .filter(|one| one.judged.confidence > Confidence::Low)
            .map(|one| one.key)
            .collect()
    }

    #[test]
    fn passwords_are_found_in_every_language_of_configuration() {
        let mut wrong = Vec::new();
        for (path, text) in [
            (".env", "DB_PASSWORD=tr0ub4dor-horse\n"),
            ("a.ini", "[db]\npassword = tr0ub4dor-horse\n"),
            ("a.toml", "db = { user = \"a\", password = \"tr0ub4dor-horse\" }\n"),
            ("a.yaml", "db:\n  password: \"tr0ub4dor-horse\"\n"),
            ("a.yaml", "env:\n- name: DB_PASSWORD\n  value: tr0ub4dor-horse\n"),
            ("a.yaml", "db: {user: a, password: tr0ub4dor-horse}\n"),
            ("a.yml", "kind: Secret\ndata:\n  any: dHIwdWI0ZG9yLWhvcnNl\n"),
            ("cm.yaml", "data:\n  app.properties: |\n    a=b\n    db.password=tr0ub4dor-horse\n"),
            ("a.json", "{\"password\": \"tr0ub4dor-horse\"}"),
            ("a.json", "{\"a\": [{\"name\": \"DB_PASSWORD\", \"value\": \"tr0ub4dor-horse\"}]}"),
            ("a.json", "{\"password\": \"tr0ub4dor-horse\", \"broken"),
            ("a.ipynb", "{\"cells\": [{\"source\": [\"password = \\\"tr0ub4dor-horse\\\"\\n\"]}]}"),
            ("a.xml", "<add key=\"x\"/><password>tr0ub4dor-horse</password>"),
            ("a.xml", "<c><add key=\"DbPassword\" value=\"tr0ub4dor-horse\"/></c>"),
            (
                "a.xml",
                "<Password><Value>tr0ub4dor-horse</Value><PlainText>true</PlainText></Password>",
            ),
            ("wp-config.php", "define('DB_PASSWORD', 'tr0ub4dor-horse');"),
            ("a.php", "$db['default']['password'] = 'tr0ub4dor-horse';"),
            ("a.php", "return ['password' => 'tr0ub4dor-horse'];"),
            ("a.properties", "spring.datasource.password=tr0ub4dor-horse\n"),
            ("passwords.txt", "mail password: tr0ub4dor-horse\n"),
            ("a.py", "password = 'tr0ub4dor-h0rse!'\n"),
            ("a.py", "password: str = 'tr0ub4dor-h0rse!'\n"),
            ("a.py", "x = os.environ.get('DB_PASSWORD', 'tr0ub4dor-h0rse!')\n"),
            ("a.js", "conn.login('someone@example.com', 'swordfish', done)\n"),
            ("run.sh", "mysql -u root -ptr0ub4dor-horse db\n"),
            ("run.sh", "PGPASSWORD=tr0ub4dor-horse psql -h db\n"),
            ("run.sh", "curl -u admin:tr0ub4dor-horse https://example.com\n"),
            (".bash_history", "sshpass -p tr0ub4dor-horse ssh root@example.com\n"),
            ("a.ps1", "$p = ConvertTo-SecureString 'tr0ub4dor-horse' -AsPlainText -Force\n"),
            ("dockerfile", "FROM a\nENV DB_PASSWORD tr0ub4dor-horse\n"),
            (".netrc", "machine example.com login a password swordfish\n"),
            (".pgpass", "db.example.com:5432:*:a:swordfish\n"),
            (".git-credentials", "https://a@example.com:pass!#@498@example.com\n"),
            ("a.tf", "variable \"db_password\" {\n  default = \"tr0ub4dor-horse\"\n}\n"),
            (
                "a.conf",
                "server {\n  address = \"irc.example.com\";\n  password = \"hunter22\";\n}\n",
            ),
            ("redis.conf", "requirepass tr0ub4dor-horse\n"),
            (
                "web.config",
                "<c><add name=\"d\" connectionString=\"Server=db;User Id=sa;Password=hunter22\"/></c>",
            ),
            ("a.properties", "url=jdbc:oracle:thin:scott/t1ger@//db.example.com:1521/x\n"),
            ("a.properties", "url=jdbc:mysql://db/x?user=a&password=hunter22\n"),
            ("a.ini", "dsn = host=db user=a password=hunter22\n"),
            (
                "dump.sql",
                "INSERT INTO `users` (`id`, `name`, `password`) VALUES\n(1, 'a', 'tr0ub4dor-horse');\n",
            ),
            ("a.sql", "CREATE USER 'a'@'%' IDENTIFIED BY 'tr0ub4dor-horse';\n"),
            (
                "x.tfstate",
                "{\"resources\":[{\"instances\":[{\"attributes\":{\"address\":\"db\",\"password\":\"tr0ub4dor-horse\"}}]}]}",
            ),
            (
                "auth.json",
                "{\"http-basic\": {\"repo.example.com\": {\"username\":\"a\",\"password\":\"hunter22\"}}}",
            ),
            (
                "auth.json",
                "{\"github-oauth\": {\"example.com\": \"0af3c1d9e8b74652a1b0c9d8e7f60514aabbccdd\"}}",
            ),
            (
                "config",
                "apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    username: admin\n    password: hunter22\n",
            ),
            (
                "settings.xml",
                "<settings><servers><server><id>a</id><username>b</username><password>hunter22</password></server></servers></settings>",
            ),
            (
                "pom.xml",
                "<project><properties><db.password>hunter22</db.password></properties></project>",
            ),
            (
                "groups.xml",
                "<Groups><User><Properties cpassword=\"j1Uyj3Vx8TY9LtLZil2uAuZkFQA/4latT76ZwgdHdhw\" userName=\"a\"/></User></Groups>",
            ),
            (".muttrc", "set imap_pass=\"hunter22\"\n"),
            ("irc.conf", "[server]\nexample.password = \"hunter22\"\n"),
            (".my.cnf", "[client]\nuser=root\npassword=hunter22\n"),
            ("pip.conf", "[global]\nindex-url = https://ci:hunter22@pypi.example.com/simple\n"),
            (".pypirc", "[pypi]\nusername: a\npassword: hunter22\n"),
            ("user-data.yaml", "#cloud-config\nchpasswd:\n  list: |\n    root:hunter22\n"),
            (
                "docker-compose.yml",
                "services:\n  db:\n    environment:\n      - MYSQL_ROOT_PASSWORD=hunter22\n",
            ),
            ("task.json", "{\"env\": [\"MYSQL_ROOT_PASSWORD=hunter22\"]}"),
            (
                "winscp.ini",
                "[Sessions\\\\a]\nHostName=example.com\nUserName=a\nPassword=A35C4356079A1F\n",
            ),
            ("wifi.nmconnection", "[wifi-security]\nkey-mgmt=wpa-psk\npsk=hunter2222\n"),
            ("sssd.conf", "[domain/a]\nldap_default_authtok = hunter22\n"),
            ("router.cfg", "hostname r1\nusername admin password 7 0822455D0A16\n"),
            ("a.java", "ds.setPassword(\"tr0ub4dor-horse\");"),
            ("a.rb", "config.secret_token = 'Zq3v9KxT2mW8bR5nYc7L'"),
            ("a.go", "const apiKey = \"Zq3v9KxT2mW8bR5nYc7L\""),
            ("config/master.key", "0af3c1d9e8b74652a1b0c9d8e7f60514\n"),
        ] {
            if keys(path, text).len() != 1 {
                wrong.push(format!("{path}: {text}: {:?}", keys(path, text)));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn talk_about_passwords_is_none() {
        for (path, text) in [
            ("de.json", "{\"password\": \"Passwort\", \"secret\": \"Geheimnis der Woche\"}"),
            (
                "de.json",
                "{\"user\": \"Benutzer\", \"host\": \"Rechner\", \"password\": \"Kennwort\"}",
            ),
            ("a.py", "password = os.environ['DB_PASSWORD']\nsecret = get_secret('x')\n"),
            ("a.py", "password = 'a' + other\npassword == 'tr0ub4dor-h0rse!'\n"),
            ("a.yaml", "password: ${DB_PASSWORD}\nsecretName: my-tls-secret\n"),
            ("README.md", "Set the password: it has to be long.\n"),
            (".env.example", "DB_PASSWORD=changeme\nAPI_KEY=<your key>\n"),
            ("a.js", "if (password === confirmPassword) { token = null }\n"),
            (
                "a.js",
                "const fields = ['password', 'user-name-1']; f({type: 'password', id: 'x1'})\n",
            ),
            ("a.ini", "password_file = /run/secrets/db\npassword_policy = strong9\n"),
            (
                "a.xml",
                "<settings><password>${env.PASS}</password><savePassword>true</savePassword></settings>",
            ),
            ("shadow", "root:*:17431:0:99999:7:::\nbin:!:17431::::::\nx:!!:1::::::\n"),
            ("a.sh", "read -s PASSWORD\nexport TOKEN=$(cat /run/token)\n"),
        ] {
            assert!(keys(path, text).is_empty(), "{path}: {text}: {:?}", keys(path, text));
        }
    }

    #[test]
    fn a_file_of_any_size_is_read_and_what_is_too_much_is_counted() {
        let line = |number: usize| format!("K{number}_PASSWORD=tr0ub4dor-{number}-horse\n");
        let text: String = (0..300_000).map(line).collect();
        assert!(text.len() > 8 << 20);
        let verdicts = find("big.env", &text, None);
        assert!(verdicts.found.len() >= 10_000, "{}", verdicts.found.len());
        assert!(verdicts.dropped > 0);
    }

    #[test]
    fn what_is_left_out_has_a_reason() {
        let verdicts = find("a.env", "DB_PASSWORD=${PASS}\nAPI_KEY=changeme\nSECRET=\n", None);
        let reasons: Vec<Reason> = verdicts.left.iter().map(|left| left.reason).collect();
        assert_eq!(reasons, [Reason::Reference, Reason::Placeholder]);
    }

    #[test]
    fn who_and_where_are_told_and_never_the_value() {
        let text = "DB_HOST=db.example.com\nDB_USER=app\nDB_PASSWORD=hunter22\nMAIL_USER=m\n";
        let found = find(".env", text, None).found;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].judged.beside.user.as_deref(), Some("app"));
        assert_eq!(found[0].judged.beside.host.as_deref(), Some("db.example.com"));
        assert_eq!(&text[found[0].span.clone()], "hunter22");
        let same =
            find(".env", "DB_HOST=db.example.com\nDB_USER=hunter22\nDB_PASSWORD=hunter22\n", None)
                .found;
        assert_eq!(same[0].judged.beside.user, None);
    }

    #[test]
    fn every_format_survives_cuts_and_flips() {
        let samples = [
            (
                "a.json",
                "{\"a\": [{\"name\": \"DB_PASSWORD\", \"value\": \"tr0ub4dor-hörse\"}], // x\n 'b': {token: \"x\"}}",
            ),
            (
                "a.xml",
                "<?xml version='1.0'?><!-- c --><a p=\"1\"><password><![CDATA[tr0ub4dor]]></password><b/></a>",
            ),
            (
                "a.yaml",
                "a:\n  - name: PASSWORD\n    value: 'tr0üb4dor'\n  - {b: [c, d]}\nk: |\n  x=y\n  pass=z1z1\n",
            ),
            (
                "a.ini",
                "[a]\npassword = \"tr0üb4dor\" # x\nb = { pass = \"y1y1\" }\nserver {\n pw x\n}\n",
            ),
            ("a.sh", "export A=b PASS=\"ü 1\"; mysql -px1 | curl -u a:b1 \\ --password 'c"),
            (
                "a.sql",
                "CREATE TABLE a (\n `pass` int,\n);\nINSERT INTO a VALUES (1,'ü1'),('x');\nCOPY a (pass) FROM stdin;\nx1\n\\.\n",
            ),
            (
                "a.py",
                "password: str = \"tr0üb4dor\"\nx.login('a', 'b')\nu = 'https://a:b@c.example.com/'\n",
            ),
            (".netrc", "machine a login b password c\nmacdef x\n y\n\nmachine d"),
            (".htpasswd", "a:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\nb:x\\:y\n"),
            (".pgpass", "a:1:b:c:d\\:e\n"),
        ];
        for (path, text) in samples {
            let bytes = text.as_bytes();
            for cut in 0..bytes.len() {
                let _ = find(path, &String::from_utf8_lossy(&bytes[..cut]), None);
                for flip in [0x01_u8, 0x08, 0x20, 0x80] {
                    let mut changed = bytes.to_vec();
                    changed[cut] ^= flip;
                    let text = String::from_utf8_lossy(&changed).into_owned();
                    for found in find(path, &text, None).found {
                        assert!(text.get(found.span.clone()).is_some(), "{path}: {cut}");
                    }
                }
            }
        }
    }

    #[test]
    fn hostile_text_is_bounded() {
        let started = std::time::Instant::now();
        for (path, part) in [
            ("a.json", "{\"password\":["),
            ("a.json", "\"password\""),
            ("a.xml", "<password p=\""),
            ("a.xml", "<a>"),
            ("a.yaml", "- - password: "),
            ("a.ini", "password{\n"),
            ("a.sh", "\"password='"),
            ("a.sql", "INSERT INTO a (password) VALUES ("),
            ("a.py", "password='"),
            ("a.py", "password"),
            ("a.py", "login(\""),
            ("a.env", "PASSWORD=hunter22\n"),
            ("a.txt", "://"),
        ] {
            let text = part.repeat(1 << 16);
            let verdicts = find(path, &text, None);
            assert!(verdicts.found.len() + verdicts.left.len() <= 20_000, "{path}");
        }
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }
}
