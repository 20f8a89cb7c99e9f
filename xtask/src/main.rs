//! The workspace's chores: set-up, tests, CI, tidy, bless, demo, bench.
//!
//! It depends on none of the workspace's crates, so it builds on a machine that has only Rust.
//! Run `cargo xtask` for the list of commands.

mod bench;
mod bless;
mod ci;
mod demo;
mod emulate;
mod error;
mod gpu_kit;
mod picture;
mod process;
mod root;
mod setup;
mod test;
mod tidy;

use std::process::ExitCode;

use error::Error;
use root::Root;

/// One command: its name, its arguments as shown in the help, what it does, and how.
struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&Root, &[String]) -> Result<(), Error>,
}

/// Every command, in the order the help shows them.
const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        arguments: "",
        about: "set-up, then compile all-MiniLM-L6-v2 for this CPU and embed sentences",
        run: |root, _| demo::run(root),
    },
    Command {
        name: "test",
        arguments: "[CARGO ARGS]",
        about: "set-up, then every test; counts what ran and what was skipped",
        run: test::run,
    },
    Command {
        name: "emulate",
        arguments: "",
        about: "set-up, then all cases of lane programs in the emulator; `test` runs a part of them",
        run: |root, _| emulate::run(root),
    },
    Command {
        name: "setup",
        arguments: "",
        about: "unpack LLVM, Python tools and the model under .toolchain/; resumable",
        run: |root, _| setup::run(root),
    },
    Command {
        name: "ci",
        arguments: "",
        about: "fmt, clippy, test, docs, tidy, deny: all of it",
        run: |root, _| ci::run(root),
    },
    Command {
        name: "tidy",
        arguments: "",
        about: "layer edges, file sizes, and that each op, pass and rule has what it owes",
        run: |root, _| tidy::run(root),
    },
    Command {
        name: "bless",
        arguments: "[PACKAGE]",
        about: "rewrite the expected text of the case tests",
        run: bless::run,
    },
    Command {
        name: "bench",
        arguments: "NAME [ARGS]",
        about: "run a benchmark; without a name, list them",
        run: bench::run,
    },
    Command {
        name: "picture",
        arguments: "PAGE.html OUT.png",
        about: "what a headless browser shows of a page",
        run: picture::run,
    },
    Command {
        name: "gpu-kit",
        arguments: "[ARGS]",
        about: "make a folder that checks and times kernels on a machine with a GPU (docs/gpu-kit.md)",
        run: gpu_kit::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let found = arguments
        .first()
        .and_then(|name| COMMANDS.iter().find(|command| command.name == name));
    let Some(command) = found else {
        if let Some(name) = arguments.first() {
            eprintln!("xtask: no command `{name}`\n");
        }
        print_help();
        return ExitCode::from(2);
    };
    match Root::find().and_then(|root| (command.run)(&root, &arguments[1..])) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {}: {error}", command.name);
            ExitCode::FAILURE
        }
    }
}

fn print_help() {
    eprintln!("usage: cargo xtask COMMAND\n");
    for Command {
        name,
        arguments,
        about,
        ..
    } in COMMANDS
    {
        eprintln!("  {:<18} {about}", format!("{name} {arguments}"));
    }
}
