//! `db report`: a page that shows what a database knows of a target.

use std::{fs, path::PathBuf};

use autotune::database::Access;
use clap::Args;
use serde_json::json;
use tilewright::runtime::cli::Report;

use super::Db;
use crate::failure::Failure;

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    db: Db,
    /// The target; `tilewright db stats` lists those that the database has.
    #[arg(long, value_name = "T")]
    target: String,
    /// The page.
    #[arg(short, long, value_name = "OUT.html")]
    output: PathBuf,
}

pub fn report(arguments: &Arguments) -> Result<Report, Failure> {
    let target = tilewright::target(&arguments.target)?;
    let database = arguments.db.open(Access::Read)?;
    let path = &arguments.db.path;
    let name = path.file_name().unwrap_or(path.as_os_str());
    let Some(data) = tilewright::page_of_records(&name.to_string_lossy(), &database, &target)?
    else {
        return Err(Failure::NoTrials {
            path: path.clone(),
            target: target.name,
            known: database.stats()?.places.into_keys().collect(),
        });
    };
    let page = autotune::report::page(&data);
    fs::write(&arguments.output, &page).map_err(|error| Failure::File {
        path: arguments.output.clone(),
        error,
    })?;
    let trials: usize = data.tasks.iter().map(|t| t.trials.len()).sum();
    Ok(Report {
        text: format!(
            "{}: {} kernels, {trials} trials, {:.1} KB\n",
            arguments.output.display(),
            data.tasks.len(),
            page.len() as f64 / 1024.0
        ),
        json: json!({
            "output": arguments.output, "bytes": page.len(), "kernels": data.tasks.len(), "trials": trials,
        }),
        passed: true,
    })
}
