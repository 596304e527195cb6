//! What Google's tools find without a network: an access token, or the key file of a service
//! account.
//!
//! Source: "How Application Default Credentials works" of the Google Cloud documentation. User
//! credentials made by `gcloud auth application-default login` have to be exchanged by a POST,
//! which this program does not send; `gcloud auth print-access-token` gives a token that works.

use super::error::ChainError;
use super::ini::LIMIT;
use super::own::{Own, Surroundings};
use lidless_core::{Auth, Secret};
use serde_json::Value;
use std::io::Read as _;

/// Where Google's own tool keeps the default credentials.
const WELL_KNOWN: &str = ".config/gcloud/application_default_credentials.json";
/// Variables that hold an access token, by the tools that read them.
const TOKENS: [&str; 3] =
    ["CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_CLOUD_ACCESS_TOKEN"];

/// Credentials of Google Cloud: an access token of the environment, else the file that
/// `GOOGLE_APPLICATION_CREDENTIALS` names, else the file of the default credentials.
///
/// # Errors
/// [`ChainError`] when there are none, or only ones that this program does not use.
pub fn gcs(around: &Surroundings<'_>) -> Result<Own, ChainError> {
    let own = |auth, hint: String, source: String| Own {
        auth,
        hint,
        source,
        region: None,
        project: around
            .variable("GOOGLE_CLOUD_PROJECT")
            .or_else(|| around.variable("CLOUDSDK_CORE_PROJECT")),
        endpoint: around
            .variable("STORAGE_EMULATOR_HOST")
            .map(|host| if host.contains("://") { host } else { format!("http://{host}") }),
    };
    for name in TOKENS {
        if let Some(token) = around.variable(name) {
            let source = format!("{name} of the environment");
            return Ok(own(Auth::Token(Secret::new(token)), "access token".into(), source));
        }
    }
    let path = around.path("GOOGLE_APPLICATION_CREDENTIALS", WELL_KNOWN);
    let named = around.variable("GOOGLE_APPLICATION_CREDENTIALS").is_some();
    let nothing = || ChainError::Nothing {
        cloud: "Google Cloud",
        looked: format!("{}, GOOGLE_APPLICATION_CREDENTIALS and ~/{WELL_KNOWN}", TOKENS.join(", ")),
    };
    let Some(path) = path else { return Err(nothing()) };
    let shown = around.shown(&path);
    let unreadable = |why: String| ChainError::Unreadable { path: shown.clone(), why };
    let mut text = Vec::new();
    match std::fs::File::open(&path) {
        Ok(file) => {
            let read = file.take(LIMIT).read_to_end(&mut text);
            read.map_err(|error| unreadable(error.kind().to_string()))?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => {
            return Err(nothing());
        }
        Err(error) => return Err(unreadable(error.kind().to_string())),
    }
    let file: Value =
        serde_json::from_slice(&text).map_err(|_| unreadable("it is no JSON".into()))?;
    let field = |name: &str| file.get(name).and_then(Value::as_str);
    match (field("type"), field("client_email"), field("private_key")) {
        (Some("service_account"), Some(email), Some(key)) => {
            let auth = Auth::ServiceAccount {
                email: email.to_owned(),
                key_id: field("private_key_id").map(str::to_owned),
                key: Secret::new(key.to_owned()),
            };
            Ok(own(auth, email.to_owned(), shown))
        }
        (Some("service_account"), _, _) => {
            Err(unreadable("client_email or private_key is missing".into()))
        }
        (kind, _, _) => Err(ChainError::NotUsed {
            found: shown,
            what: kind.unwrap_or("no known type").to_owned(),
            instead: "set CLOUDSDK_AUTH_ACCESS_TOKEN to what `gcloud auth print-access-token` \
                      prints, or name the key file of a service account",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(file: Option<&str>, variables: &[(&str, &str)]) -> Result<Own, ChainError> {
        let home = tempfile::tempdir().unwrap();
        if let Some(file) = file {
            std::fs::create_dir_all(home.path().join(".config/gcloud")).unwrap();
            std::fs::write(home.path().join(WELL_KNOWN), file).unwrap();
        }
        let variable = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        gcs(&Surroundings { variable: &variable, home: Some(home.path().to_owned()) })
    }

    #[test]
    fn a_token_goes_before_a_key_file_and_what_needs_an_exchange_is_refused() {
        let key = r#"{"type":"service_account","client_email":"a@b.iam.gserviceaccount.com",
            "private_key":"pem text"}"#;
        let own = ask(Some(key), &[]).unwrap();
        assert_eq!(own.hint, "a@b.iam.gserviceaccount.com");
        assert!(!format!("{own:?}").contains("pem text"));
        let own = ask(Some(key), &[("CLOUDSDK_AUTH_ACCESS_TOKEN", "ya29")]).unwrap();
        assert!(matches!(own.auth, Auth::Token(_)) && !format!("{own:?}").contains("ya29"));
        let user = r#"{"type":"authorized_user","refresh_token":"x"}"#;
        let error = ask(Some(user), &[]).unwrap_err();
        assert!(error.to_string().contains("print-access-token"), "{error}");
        assert!(matches!(ask(None, &[]).unwrap_err(), ChainError::Nothing { .. }));
        assert!(matches!(ask(Some("no"), &[]).unwrap_err(), ChainError::Unreadable { .. }));
        let absent = [("GOOGLE_APPLICATION_CREDENTIALS", "/no/such")];
        assert!(matches!(ask(None, &absent).unwrap_err(), ChainError::Unreadable { .. }));
    }
}
