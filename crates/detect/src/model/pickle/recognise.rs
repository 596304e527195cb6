//! Whether bytes are a pickle.

use super::judge::is_name;
use super::machine::{Event, Mode, run};
use super::reader::{Broken, Reader};
use crate::model::names::{Standing, standing};
use lidless_io::{BorrowedBytes, ReadAt as _};

/// Opcodes tried to find out.
const TRIED: u64 = 2_000;

/// Opcodes that are enough behind the one that begins a pickle.
const ENOUGH: u64 = 16;

/// How much bytes are like a pickle, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Likeness {
    /// They are none.
    None,
    /// All that was seen could be one, and nothing in it decides.
    Open,
    /// They are one.
    Sure,
}

/// How much a head is like a pickle: of protocol 2 and up by its first opcodes, of 0 and 1, and
/// without the opcode that begins one, only when it imports or runs on, because any text begins
/// with some opcode. `whole` says that the head is everything.
pub(crate) fn likeness(head: &[u8], whole: bool, model_name: bool) -> Likeness {
    let source = BorrowedBytes(head);
    let mut reader = Reader::new(&source, 0);
    let (mut imports, mut dangerous, mut acts, mut hidden) = (false, false, false, false);
    let begins = matches!(head, [0x80, 0..=5, ..]);
    let tried = if begins { ENOUGH } else { TRIED };
    let one = run(&mut reader, tried, Mode::Plain, &mut |_, event| match event {
        Event::Import(global) if is_name(&global) => {
            imports = true;
            dangerous |= standing(&global.module, &global.name) == Standing::Dangerous;
        }
        Event::Import(_) | Event::HiddenImport | Event::Extension(_) => hidden = true,
        Event::Call(..) | Event::Build(..) => acts = true,
        _ => {}
    });
    let stops = one.broken.is_none();
    let at_end = one.end >= source.len();
    // The head of a long stream breaks off where the head ends.
    let cut = !whole && matches!(&one.broken, Some(Broken::Malformed(why)) if is_cut(why));
    let runs_on = one.opcodes >= TRIED || (cut && one.opcodes > 200);
    let yes = |yes: bool| if yes { Likeness::Sure } else { Likeness::None };
    if begins {
        // Not one opcode behind the first: bytes of something else.
        let some = one.opcodes >= 4 || imports || hidden || stops || cut || model_name;
        return yes(one.opcodes >= 2 && some);
    }
    let text = || !head.iter().any(|byte| *byte == 0 || *byte >= 0x80);
    if imports {
        let whole_stream = stops && (model_name || dangerous || at_end);
        return yes(acts || whole_stream || (model_name && dangerous));
    }
    if hidden && acts && !text() {
        return Likeness::Sure;
    }
    if runs_on {
        return Likeness::Sure;
    }
    if model_name && stops && at_end && one.opcodes >= 2 {
        return Likeness::Sure;
    }
    if cut && one.opcodes >= 1 { Likeness::Open } else { Likeness::None }
}

fn is_cut(why: &str) -> bool {
    why.contains("announced") || why.contains("ends") || why.contains("without an end")
}
