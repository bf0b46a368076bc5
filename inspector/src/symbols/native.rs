//! The program or library of an address, by build id.

use super::elf::Open;
use super::event::{About, Image, same_build};
use super::found::{Found, Program};
use super::guard::guarded;
use super::named::text;
use super::opened::Opened;
use super::{Names, Outcome};
use serde_json::Value;

/// Files that are open.
#[derive(Default)]
pub(super) struct Files(Opened<Open>);

impl Files {
    /// The names of a frame with an address. `is_exact`: the address is that of the instruction itself, not that behind a call.
    pub(super) fn names(
        &mut self,
        found: &Found,
        about: &About,
        frame: &Value,
        is_exact: bool,
        outcome: &mut Outcome,
    ) -> Names {
        let address = frame.get("address").and_then(Value::as_u64)?;
        let is_named = !text(frame, "function").is_empty() && !text(frame, "file").is_empty();
        if is_named || matches!(about.language(frame), "java" | "kotlin" | "javascript") {
            return None;
        }
        // The instruction behind a call can belong to another line, and to another function.
        let wanted = if is_exact { address } else { address.saturating_sub(1) };
        Some(self.at(found, about, text(frame, "module"), wanted, outcome))
    }

    fn at(
        &mut self,
        found: &Found,
        about: &About,
        module: &str,
        address: u64,
        outcome: &mut Outcome,
    ) -> Result<Vec<super::Named>, String> {
        let Some(image) = image(about, module, address) else {
            return Err(match module {
                "" => "the event does not say in which library its addresses are".to_owned(),
                module => format!("the event has no build id of `{module}`"),
            });
        };
        if image.build_id.is_empty() {
            return Err(format!("`{}` has no build id; link it with `-Wl,--build-id`", image.name));
        }
        let head = head(found, image)?;
        if !head.has_lines {
            let path = head.path.display();
            outcome.problem(format!("{path} has no debug information: its functions are named, without lines"));
        }
        let open = self.0.get(&head.path, || Open::read(head)).map_err(Clone::clone)?;
        let names = guarded(|| Ok(open.at(address - image.from))).unwrap_or_default();
        if names.is_empty() {
            return Err(format!("{} has no function at {:#x}", head.path.display(), address - image.from));
        }
        Ok(names)
    }
}

/// The library of an address.
fn image<'a>(about: &'a About, module: &str, address: u64) -> Option<&'a Image> {
    let holds = |image: &Image| address.checked_sub(image.from).is_some_and(|at| at < image.size);
    let of_name = about.images.iter().find(|image| image.name == module && holds(image));
    of_name.or_else(|| about.images.iter().find(|image| holds(image)))
}

/// The file with the build id of a library, one with lines if there is one.
fn head<'f>(found: &'f Found, image: &Image) -> Result<&'f Program, String> {
    let same = || found.programs.iter().filter(|head| same_build(&head.build_id, &image.build_id));
    if let Some(head) = same().find(|head| head.has_lines).or_else(|| same().next()) {
        return Ok(head);
    }
    let Image { name, build_id, .. } = image;
    let of_name = |head: &&Program| {
        let file = head.path.file_name().unwrap_or_default().to_string_lossy();
        file.strip_prefix(&name[..]).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    Err(match found.programs.iter().find(of_name) {
        Some(Program { path, build_id: other, .. }) => {
            format!("{} has build id {other}; the event needs build id {build_id} of `{name}`", path.display())
        }
        None => format!("no file with build id {build_id} (`{name}`) is among the debug files"),
    })
}
