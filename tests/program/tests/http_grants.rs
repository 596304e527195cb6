//! What a web server shows, through the program: the table of docs/storage.md.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_program_tests::{Issuer, Reply, assert_documented, rights_table, run};

#[test]
fn the_table_of_what_a_web_server_shows_is_what_the_program_says() {
    let server = Issuer::start(|_, head| {
        let path = head.split(' ').nth(1).unwrap_or("").to_owned();
        match path.as_str() {
            "/pub/" => Reply::say(
                200,
                "<html><title>Index of /pub/</title><h1>Index of /pub/</h1>\
                 <a href=\"../\">../</a><a href=\"a.txt\">a.txt</a></html>",
            ),
            "/pub/a.txt" => Reply::with(200, "content-type: text/plain", "nothing of note\n"),
            "/page/" => Reply::say(200, "<html><title>Welcome</title>Hello</html>"),
            "/locked/" => Reply::say(401, ""),
            "/hidden/" => Reply::say(403, ""),
            _ => Reply::say(404, ""),
        }
    });
    let rows = [
        ("a directory index", "pub/"),
        ("a file", "pub/a.txt"),
        ("a page that is no index", "page/"),
        ("a folder with a password", "locked/"),
        ("a folder that is not shown", "hidden/"),
        ("nothing there", "gone/"),
    ];
    let of = |(name, path): &(&str, &str)| {
        let target = format!("index+{}/{path}", server.url());
        let ran = run(&["scan", &target, "--format", "json"]);
        rights_table(name, &ran.json()["grants"][0])
    };
    let lines: Vec<String> = rows.iter().flat_map(of).collect();
    let requests = server.requests();
    assert!(requests.iter().all(|head| head.starts_with("GET ") || head.starts_with("HEAD ")));
    assert_documented("### What a web server shows", &lines);
}
