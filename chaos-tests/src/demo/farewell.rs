//! Stopping, with nothing left behind; or how to use what keeps running.

use std::{env, fs, ops::Deref, path::Path, time::Duration};

use alert_synth::known;
use anyhow::bail;

use super::{
    load::partner_name,
    stage::{Stage, seconds},
};
use crate::process::LocalCluster;

/// A node ends within this of being asked to.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A cluster that goes, with its processes and files, unless the show reached its end.
pub(super) struct Guard {
    cluster: Option<LocalCluster>,
}

impl Guard {
    pub(super) fn new(cluster: LocalCluster) -> Self {
        Self { cluster: Some(cluster) }
    }

    fn release(mut self) -> LocalCluster {
        self.cluster.take().expect("only this and drop take it, and both are last")
    }
}

impl Deref for Guard {
    type Target = LocalCluster;

    fn deref(&self) -> &LocalCluster {
        self.cluster.as_ref().expect("only release and drop take it, and both are last")
    }
}

impl Drop for Guard {
    /// Kills and removes, also what was to be kept: the audience never learnt how to use it.
    fn drop(&mut self) {
        let Some(cluster) = self.cluster.take() else { return };
        if let Err(error) = cluster.kill_all() {
            eprintln!("{error:#}");
        }
        let directory = cluster.directory().to_owned();
        drop(cluster);
        if directory.exists()
            && let Err(error) = fs::remove_dir_all(&directory)
        {
            eprintln!("{}: {error}", directory.display());
        }
    }
}

pub(super) async fn end(cluster: Guard, keep: bool, stage: &mut Stage) -> anyhow::Result<()> {
    if keep {
        return keep_running(cluster, stage);
    }
    stage.heading("The end");
    for node in cluster.nodes() {
        node.terminate(STOP_LIMIT).await?;
    }
    let directory = cluster.directory().to_owned();
    drop(cluster);
    if directory.exists() {
        bail!("{} is still there", directory.display());
    }
    stage.line("Stopped. No process and no file is left.");
    stage.line(&format!("It took {}. `make demo KEEP=1` leaves the cluster running.", seconds(stage.elapsed())));
    Ok(())
}

fn keep_running(cluster: Guard, stage: &mut Stage) -> anyhow::Result<()> {
    stage.heading("It keeps running");
    let alertctl = env::current_exe()?.with_file_name("alertctl");
    let pids: Vec<u32> = cluster.nodes().iter().filter_map(|node| node.pid()).collect();
    let partner = cluster.client_config_path(&partner_name())?.to_owned();
    let directory = cluster.release().leave_running();
    println!("{}", instructions(&alertctl, &directory, &partner, &pids));
    Ok(())
}

/// How to use a cluster that keeps running, and how to stop it: lines to be pasted into a shell.
pub fn instructions(alertctl: &Path, directory: &Path, partner: &Path, pids: &[u32]) -> String {
    let (alertctl, at, partner) = (alertctl.display(), directory.display(), partner.display());
    let pids = pids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    let passport = known::PASSPORT_NUMBER;
    format!(
        "   alias alertctl={alertctl}\n\n\
         \x20  As a British border officer:\n\
         \x20    export ALERTCTL_CONFIG={at}/client-search.toml\n\
         \x20    alertctl --purpose border-control search person Tamsin Quenthorpe --born 1987-11-23\n\
         \x20    alertctl --purpose border-control search document {passport} --country GB\n\
         \x20  As the partner, under its agreement:\n\
         \x20    alertctl --config {partner} --purpose border-control search vehicle --plate 'BD51 SMR'\n\
         \x20  As the National Crime Agency's bureau:\n\
         \x20    alertctl --config {at}/client-bureau.toml --purpose alert-management list\n\
         \x20  As an operator:\n\
         \x20    alertctl --config {at}/client-operator.toml status\n\n\
         \x20  Logs are in {at}/logs. To stop it and remove everything:\n\
         \x20    kill {pids}; for pid in {pids}; do while kill -0 $pid 2>/dev/null; do sleep 0.1; done; done; rm -r {at}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_name_how_to_stop() {
        let text = instructions(Path::new("/b/alertctl"), Path::new("/d"), Path::new("/d/p.toml"), &[7, 8]);
        assert!(text.contains("kill 7 8; for pid in 7 8; do") && text.ends_with("rm -r /d\n"), "{text}");
        assert!(text.contains("ALERTCTL_CONFIG=/d/client-search.toml"), "{text}");
    }
}
