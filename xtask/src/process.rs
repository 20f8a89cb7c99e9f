//! Running other programs.

use std::process::{Command, Stdio};

use crate::error::Error;

/// Runs with its output going where ours goes.
pub fn run(command: &mut Command) -> Result<(), Error> {
    let status = command
        .status()
        .map_err(|source| not_started(command, source))?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(command, status, ""))
    }
}

/// Runs silently; returns its standard output, or all it said when it did not end well.
pub fn output(command: &mut Command) -> Result<String, Error> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| not_started(command, source))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let said = format!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
    Err(failed(command, output.status, &said))
}

/// Whether the program runs at all and ends well.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn not_started(command: &Command, source: std::io::Error) -> Error {
    let program = command.get_program().to_string_lossy().into_owned();
    if source.kind() != std::io::ErrorKind::NotFound {
        return Error::File {
            action: "start",
            path: program.into(),
            source,
        };
    }
    let help = match program.as_str() {
        "apt-get" | "dpkg-deb" => {
            "set-up is made for Debian and its derivatives; elsewhere set \
                                   LLVM_SYS_221_PREFIX and friends to an LLVM 22"
        }
        "python3" => "install Python 3.11 or newer (Debian: `apt-get install python3`)",
        _ => "install it and run again",
    };
    Error::MissingProgram {
        program,
        help: help.into(),
    }
}

fn failed(command: &Command, status: std::process::ExitStatus, said: &str) -> Error {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    let output = if said.trim().is_empty() {
        String::new()
    } else {
        format!("\n{}", said.trim())
    };
    Error::CommandFailed {
        command: words.join(" "),
        status: status.to_string(),
        output,
    }
}
