//! `docs/configurations.md`, out of the table.

use super::{DIALECTS, Masked, Proof};

/// The page, as it stands in `docs/`.
#[must_use]
pub fn markdown() -> String {
    let mut out = "# Configurations that can be given\n\n\
        `wss-collector --config FILE` (repeatable) reads the load balancer's own words beside what the probes see. Made from the table in\n\
        `diagnosis/src/configuration/`; do not edit.\n\n\
        - A file alone never makes a cause. A line is *confirmed* where the probe saw its effect, and a *prediction* where it was not tried.\n\
        - What was not held against its program is a hint: it is said to be unproved, and never confirmed.\n\
        - What conditions, variables or files that were not given decide is said to be untold.\n\
        - Where few lines mend it, the report shows them as a diff; `wss-analyzer report --format patch BUNDLE` prints all of a case, for\n  \
        `patch -p1`. What was masked in the bundle is in no diff.\n\
        - JSON, YAML and TOML are read alike, as printed or as saved: several calls in one file, PowerShell's UTF-16, a command above. What was\n  \
        printed twice (`show` and `list`) is one. A Terraform state is refused: it holds secrets.\n\
        - `wss-collector config-commands [DEVICE]` prints the read-only commands that give what is in effect.\n\
        - Secrets are masked before anything is written (`wss-collector inspect BUNDLE` lists what was).\n\n\
        | program | devices | recognised | read-only commands | a change is checked by | of it stays | proved by |\n\
        |---|---|---|---|---|---|---|\n"
        .to_owned();
    for one in DIALECTS {
        let devices: Vec<String> = one.devices.iter().map(|id| format!("`{id}`")).collect();
        // A bar ends a cell, in code as well.
        let commands: Vec<String> =
            one.commands.iter().map(|c| format!("`{}`", c.replace('|', r"\|"))).collect();
        let stays = match one.masked {
            Masked::Words => "all but what its words announce as secret",
            Masked::Listed(_) => {
                "numbers, switches and listed fields; account numbers go, ids become short tokens"
            }
        };
        let proved = match one.proof {
            Proof::Program => "the program itself",
            Proof::Models => "its maker's models of the fields",
            Proof::Documents => "nothing yet: **a hint**, from documents and strangers' files",
        };
        out.push_str(&format!(
            "| {} | {} | {} | {} | `{}` | {stays} | {proved} |\n",
            one.name,
            devices.join(" "),
            one.expected,
            commands.join("<br>"),
            one.reload,
        ));
    }
    out.push_str(
        "\n## What stays of descriptions\n\n\
         Besides numbers and switches the values of these keys, at any depth (`a.b` is a `b` of an `a`); of them account numbers go, and ids\n\
         become short tokens. Comments go, and all else is `[removed]`.\n",
    );
    for one in DIALECTS {
        let Masked::Listed(listed) = one.masked else { continue };
        let keys: Vec<String> = listed.keys.iter().map(|key| format!("`{key}`")).collect();
        out.push_str(&format!("\n- **{}**: {}\n", one.name, keys.join(" ")));
        if !listed.pairs.is_empty() {
            let pairs: Vec<String> = listed.pairs.iter().map(|end| format!("`{end}`")).collect();
            out.push_str(&format!(
                "  Of pairs of `Key` and `Value` those whose key ends so: {}\n",
                pairs.join(" ")
            ));
        }
        if !listed.finer.attributes.is_empty() {
            let own: Vec<String> =
                listed.finer.attributes.iter().map(|key| format!("`{key}`")).collect();
            out.push_str(&format!(
                "  Of lists of attributes (`a=1,b=x`) numbers and switches: {}\n",
                own.join(" ")
            ));
        }
        if !listed.finer.hidden.is_empty() {
            out.push_str(&format!(
                "  Nothing of objects of kind {}\n",
                listed.finer.hidden.join(", ")
            ));
        }
    }
    out
}
