//! This machine's name for itself.

/// A name that this machine has and others have not: what was verified here is known by it. Not readable.
pub fn host() -> String {
    let text = |path| std::fs::read_to_string(path).unwrap_or_default();
    // systemd's name, else the kernel's; neither may leave the machine as it is.
    let id = ["/etc/machine-id", "/proc/sys/kernel/hostname"]
        .map(text)
        .into_iter()
        .find(|t| !t.trim().is_empty())
        .unwrap_or_default();
    let processor = text("/proc/cpuinfo");
    let model = processor
        .lines()
        .find(|l| l.starts_with("model name"))
        .unwrap_or_default();
    blake3::hash(format!("tilewright host\n{}\n{model}", id.trim()).as_bytes())
        .to_hex()
        .to_string()
}
