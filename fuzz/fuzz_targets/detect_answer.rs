#![no_main]
use lidless_core::Secret;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // What an issuer answers is hostile: no judgement shows the secret.
    let (Some(first), Some(body)) = (data.first(), data.get(1..)) else { return };
    let secret = Secret::new("Zq3v9KxT2mW8bR5nY7cL");
    let pair = Secret::new("AC0123456789");
    let headers = [("x-oauth-scopes".to_owned(), String::from_utf8_lossy(body).into_owned())];
    for rule in lidless_detect::secret_rules() {
        let Some(verify) = &rule.verify else { continue };
        let status = [200, 401, 403, 404].get(usize::from(*first) % 4).copied().unwrap_or(200);
        let pair = verify.pair.as_ref().map(|_| &pair);
        let judged = verify.judge(&secret, pair, None, status, &headers, body);
        let shown = format!("{judged:?}");
        assert!(!shown.contains(secret.expose()));
    }
});
