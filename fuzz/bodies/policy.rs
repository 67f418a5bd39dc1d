//! `mgmt.yml`: a text that is refused is refused with places in it, one that is taken reads back from `config show`.

use camino::Utf8Path;
use mgmt_action::config;

pub(super) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (root, path) = (Utf8Path::new("/project"), Utf8Path::new("mgmt.yml"));
    match config::decode(&text, root, path) {
        Ok(decoded) => {
            let shown = config::show(&decoded);
            let written = serde_yaml::to_string(&shown).expect("a configuration is plain YAML");
            match config::decode(&written, root, path) {
                Ok(again) => assert_eq!(config::show(&again), shown, "{written}"),
                Err(problems) => panic!("what `config show` prints is refused: {problems:#?}\n{written}"),
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in &problems {
                let known = config::CODES.iter().any(|code| code.id == problem.code);
                assert!(known && !problem.message.is_empty(), "{problem:?}");
                assert!(problem.place.line >= 1 && problem.place.column >= 1, "{problem:?}");
                assert!(text.get(problem.place.bytes.clone()).is_some(), "{problem:?} lies outside the text");
            }
            assert!(!config::render(&text, path, &problems, false).is_empty());
        }
    }
}
