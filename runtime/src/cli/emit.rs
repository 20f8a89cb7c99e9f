//! `emit`: the texts that an artifact holds, as files, for compilers that others have.

use std::{fs, path::PathBuf};

use clap::Args;
use serde_json::json;

use super::{CliError, Report};
use crate::{
    Artifact,
    manifest::{Code, Language},
};

/// Which texts go where.
#[derive(Args, Clone, Debug)]
pub struct EmitOptions {
    /// The target whose texts are wanted, as `inspect` shows it.
    #[arg(long, value_name = "T")]
    pub target: String,
    /// The folder that they go to; one that is not there yet.
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
}

/// Writes the text of each kernel of a target to a file of its name.
///
/// # Errors
/// The artifact has no such target or no texts for it, the folder is there, or it cannot be written.
pub fn emit(artifact: &Artifact, options: &EmitOptions) -> Result<Report, CliError> {
    let targets = &artifact.manifest().targets;
    let Some(target) = targets.iter().find(|t| t.target == options.target) else {
        return Err(CliError::Target {
            wanted: options.target.clone(),
            known: targets.iter().map(|t| t.target.clone()).collect(),
        });
    };
    let ending = match &target.code {
        Code::Source(source) => match source.language {
            Language::OpenclC => "cl",
            Language::Ptx => "ptx",
            Language::AscendMlir => "mlir",
            Language::AscendC => "cpp",
        },
        Code::Elf(_) | Code::Image(_) => {
            return Err(CliError::NoTexts {
                target: target.target.clone(),
            });
        }
    };
    if options.output.exists() {
        return Err(CliError::FolderExists {
            path: options.output.clone(),
        });
    }
    let failed = |path: &PathBuf| {
        let path = path.clone();
        move |source| CliError::File { path, source }
    };
    fs::create_dir_all(&options.output).map_err(failed(&options.output))?;
    let mut files = Vec::new();
    for kernel in &target.kernels {
        let source = kernel.launch.as_ref().and_then(|l| l.source);
        let Some(source) = source else { continue };
        // A symbol is a word of C in what we write, but an artifact may hold anything.
        let name = kernel.symbol.replace(['/', '\\'], "_");
        let path = options.output.join(format!("{name}.{ending}"));
        fs::write(&path, artifact.text(source)?).map_err(failed(&path))?;
        files.push(path);
    }
    let folder = options.output.display();
    Ok(Report {
        text: format!("{} texts of {} in {folder}\n", files.len(), target.target),
        json: json!({ "target": target.target, "files": files }),
        passed: true,
    })
}
