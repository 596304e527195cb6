//! The part of the AWS chain that needs neither a network nor another program: environment
//! variables, then the profile in the shared files.
//!
//! Source: "Standardized credential providers", "Shared config and credentials files" and
//! "Service-specific endpoints" of the AWS SDKs and tools reference.

use super::error::ChainError;
use super::ini::{LIMIT, Sections, sections};
use super::own::{Own, Surroundings};
use lidless_core::{Auth, Secret};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

/// What profiles may hold that leads to a key by way of a network or a program.
const ELSEWHERE: [&str; 6] = [
    "role_arn",
    "credential_process",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
    "credential_source",
];

/// Credentials of AWS: of `profile` when one is named, else from the environment, else of the
/// profile that `AWS_PROFILE` names, else of `default`.
///
/// # Errors
/// [`ChainError`] when there are none, or only ones that this program does not use.
pub fn aws(around: &Surroundings<'_>, profile: Option<&str>) -> Result<Own, ChainError> {
    let files = Files::read(around)?;
    let named = profile.map(str::to_owned).or_else(|| around.variable("AWS_PROFILE"));
    let name = named.clone().unwrap_or_else(|| "default".to_owned());
    let settings = files.settings(&name);
    let region = around
        .variable("AWS_REGION")
        .or_else(|| around.variable("AWS_DEFAULT_REGION"))
        .or_else(|| settings.get("region").cloned());
    let ignored = around.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    let endpoint = if ignored.is_some_and(|word| word.eq_ignore_ascii_case("true")) {
        None
    } else {
        around
            .variable("AWS_ENDPOINT_URL_S3")
            .or_else(|| around.variable("AWS_ENDPOINT_URL"))
            .or_else(|| files.service_endpoint(&settings))
            .or_else(|| settings.get("endpoint_url").cloned())
    };
    let own = |id: String, secret: String, session: Option<String>, source: String| Own {
        hint: hint(&id),
        auth: Auth::Key { id, key: Secret::new(secret), session: session.map(Secret::new) },
        source,
        project: None,
        region: region.clone(),
        endpoint: endpoint.clone(),
    };
    // A profile that is named on the spot goes before the environment.
    if profile.is_none()
        && let (Some(id), Some(secret)) =
            (around.variable("AWS_ACCESS_KEY_ID"), around.variable("AWS_SECRET_ACCESS_KEY"))
    {
        let session = around.variable("AWS_SESSION_TOKEN");
        return Ok(own(id, secret, session, "AWS_ACCESS_KEY_ID of the environment".into()));
    }
    for (path, profiles) in
        [(&files.credentials_path, &files.credentials), (&files.config_path, &files.config)]
    {
        let Some(values) = profiles.get(&name) else { continue };
        if let (Some(id), Some(secret)) =
            (values.get("aws_access_key_id"), values.get("aws_secret_access_key"))
        {
            let session = values.get("aws_session_token").cloned();
            let source = format!("profile {name} of {path}");
            return Ok(own(id.clone(), secret.clone(), session, source));
        }
    }
    if let Some(what) = ELSEWHERE.iter().find(|what| settings.contains_key(**what)) {
        return Err(ChainError::NotUsed {
            found: format!("profile {name} of {}", files.config_path),
            what: (*what).to_owned(),
            instead: "run `aws configure export-credentials --format env` and set what it prints",
        });
    }
    if named.is_some() && settings.is_empty() {
        return Err(ChainError::NoProfile { profile: name, looked: files.shown() });
    }
    Err(ChainError::Nothing {
        cloud: "AWS",
        looked: format!("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, {}", files.shown()),
    })
}

/// The two shared files, profiles by name.
struct Files {
    credentials: Sections,
    credentials_path: String,
    config: Sections,
    services: Sections,
    config_path: String,
}

impl Files {
    fn read(around: &Surroundings<'_>) -> Result<Self, ChainError> {
        let open = |variable, in_home| -> Result<(Sections, String), ChainError> {
            let Some(path) = around.path(variable, in_home) else {
                return Ok((Sections::new(), format!("~/{in_home}")));
            };
            let shown = around.shown(&path);
            Ok((read(&path, &shown)?, shown))
        };
        let (credentials, credentials_path) =
            open("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")?;
        let (all, config_path) = open("AWS_CONFIG_FILE", ".aws/config")?;
        let (mut config, mut services) = (Sections::new(), Sections::new());
        for (name, values) in all {
            if let Some(profile) = name.strip_prefix("profile ") {
                config.insert(profile.to_owned(), values);
            } else if let Some(service) = name.strip_prefix("services ") {
                services.insert(service.to_owned(), values);
            } else if name == "default" {
                config.entry(name).or_insert(values);
            }
        }
        Ok(Self { credentials, credentials_path, config, services, config_path })
    }

    /// What both files say of a profile.
    fn settings(&self, name: &str) -> BTreeMap<String, String> {
        let mut settings = self.config.get(name).cloned().unwrap_or_default();
        settings.extend(self.credentials.get(name).cloned().unwrap_or_default());
        settings
    }

    /// Where the `services` section of a profile says that S3 is.
    fn service_endpoint(&self, settings: &BTreeMap<String, String>) -> Option<String> {
        self.services.get(settings.get("services")?)?.get("s3.endpoint_url").cloned()
    }

    fn shown(&self) -> String {
        format!("{} and {}", self.credentials_path, self.config_path)
    }
}

fn read(path: &Path, shown: &str) -> Result<Sections, ChainError> {
    let failed = |error: std::io::Error| ChainError::Unreadable {
        path: shown.to_owned(),
        why: error.kind().to_string(),
    };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Sections::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes).map_err(failed)?;
    Ok(sections(&String::from_utf8_lossy(&bytes)))
}

/// Enough of an id to recognise it.
fn hint(id: &str) -> String {
    let start = id.get(..4).unwrap_or("");
    let end = id.len().checked_sub(4).filter(|at| *at >= 8).and_then(|at| id.get(at..));
    format!("{start}…{}", end.unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = "[default]\naws_access_key_id = LIDLESSDEFAULT00001\n\
        aws_secret_access_key = one\n[lab]\naws_access_key_id = LIDLESSLAB000000002\n\
        aws_secret_access_key = two\naws_session_token = three\n";
    const CONFIG: &str = "[default]\nregion = eu-west-1\n[profile lab]\nregion = eu-central-1\n\
        services = local\n[services local]\ns3 =\n  endpoint_url = http://127.0.0.1:9000\n\
        [profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = lab\n\
        [profile tool]\ncredential_process = /bin/false\n";

    fn ask(
        variables: &[(&str, &str)],
        profile: Option<&str>,
        files: bool,
    ) -> Result<Own, ChainError> {
        let home = tempfile::tempdir().unwrap();
        if files {
            std::fs::create_dir(home.path().join(".aws")).unwrap();
            std::fs::write(home.path().join(".aws/credentials"), CREDENTIALS).unwrap();
            std::fs::write(home.path().join(".aws/config"), CONFIG).unwrap();
        }
        let variable = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        aws(&Surroundings { variable: &variable, home: Some(home.path().to_owned()) }, profile)
    }

    fn id(own: &Own) -> &str {
        match &own.auth {
            Auth::Key { id, .. } => id,
            _ => "",
        }
    }

    #[test]
    fn the_environment_goes_before_the_files_and_a_named_profile_before_both() {
        let keys =
            [("AWS_ACCESS_KEY_ID", "LIDLESSENV000000003"), ("AWS_SECRET_ACCESS_KEY", "four")];
        let own = ask(&keys, None, true).unwrap();
        assert_eq!((id(&own), own.region.as_deref()), ("LIDLESSENV000000003", Some("eu-west-1")));
        assert_eq!(own.hint, "LIDL…0003");
        let own = ask(&keys, Some("lab"), true).unwrap();
        assert_eq!(
            (id(&own), own.endpoint.as_deref()),
            ("LIDLESSLAB000000002", Some("http://127.0.0.1:9000"))
        );
        assert_eq!(own.source, "profile lab of ~/.aws/credentials");
        let Auth::Key { session, .. } = &own.auth else { panic!("no key") };
        assert_eq!(session.as_ref().unwrap().expose(), "three");
        let own = ask(&[], None, true).unwrap();
        assert_eq!(id(&own), "LIDLESSDEFAULT00001");
        let own = ask(&[("AWS_PROFILE", "lab"), ("AWS_REGION", "x-y-1")], None, true).unwrap();
        assert_eq!((id(&own), own.region.as_deref()), ("LIDLESSLAB000000002", Some("x-y-1")));
        let own = ask(
            &[("AWS_ENDPOINT_URL", "http://a"), ("AWS_ENDPOINT_URL_S3", "http://b")],
            None,
            true,
        );
        assert_eq!(own.unwrap().endpoint.as_deref(), Some("http://b"));
        let ignoring = [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        assert_eq!(ask(&ignoring, Some("lab"), true).unwrap().endpoint, None);
    }

    #[test]
    fn what_would_need_a_network_or_a_program_is_named_and_not_used() {
        for (profile, what) in [("role", "role_arn"), ("tool", "credential_process")] {
            let error = ask(&[], Some(profile), true).unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
            assert!(error.to_string().contains("export-credentials"), "{error}");
        }
        let error = ask(&[("AWS_PROFILE", "absent")], None, true).unwrap_err();
        assert!(matches!(error, ChainError::NoProfile { .. }), "{error}");
        let error = ask(&[], None, false).unwrap_err();
        assert!(error.to_string().contains("~/.aws/credentials"), "{error}");
    }

    #[test]
    fn nothing_secret_is_shown() {
        let own = ask(&[], Some("lab"), true).unwrap();
        let shown = format!("{own:?}");
        assert!(!shown.contains("two") && !shown.contains("three"), "{shown}");
    }
}
