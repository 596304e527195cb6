//! What a seal leaves out.

/// Folders of a version control system, which are not of the model.
const ALWAYS: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// Paths below a model's folder that a seal leaves out, with all that is below them: those that
/// were named, and what belongs to version control.
#[must_use]
pub fn left_out(named: &[String]) -> Vec<String> {
    let mut all = named.to_vec();
    all.extend(
        ALWAYS.into_iter().filter(|one| !named.iter().any(|it| it == one)).map(str::to_owned),
    );
    all
}

/// Whether a path below the model's folder is one of them or below one.
#[must_use]
pub fn is_left_out(name: &str, left_out: &[String]) -> bool {
    left_out.iter().any(|path| {
        let rest = name.strip_prefix(path.trim_start_matches("./"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_left_out_with_all_below_it_and_nothing_beside_it() {
        let all = left_out(&["./cache/a".into(), ".git".into()]);
        for name in ["cache/a", "cache/a/b/c", ".git/HEAD", ".gitignore", ".github/x.yml"] {
            assert!(is_left_out(name, &all), "{name}");
        }
        for name in ["cache", "cache/ab", ".gitx", "a/.git/HEAD", "x/cache/a"] {
            assert!(!is_left_out(name, &all), "{name}");
        }
        assert_eq!(all.iter().filter(|one| *one == ".git").count(), 1);
        assert!(!is_left_out("a", &left_out(&["".into()])));
    }
}
