//! How a `dockerd` is told to keep everything to itself: nothing of the machine's folders, networks or settings is touched.

/// What it is told besides its places: the runtime `given` starts every container, in groups that it makes by itself, without networks.
pub const FIXED: [&str; 8] = [
    "--default-runtime=given",
    "--exec-opt=native.cgroupdriver=cgroupfs",
    "--bridge=none",
    "--iptables=false",
    "--ip6tables=false",
    "--ip-forward=false",
    "--ip-masq=false",
    "--userland-proxy=false",
];

/// The places of a daemon.
pub struct Places<'a> {
    /// `unix://` and the path of its socket.
    pub socket: &'a str,
    /// Folder of its images and containers.
    pub data: &'a str,
    /// Folder of what runs.
    pub exec: &'a str,
    /// File with its number.
    pub pid_file: &'a str,
    /// Its configuration, for `/etc/docker/daemon.json` is the machine's.
    pub configuration: &'a str,
    /// The OCI runtime's program.
    pub runtime: &'a str,
}

impl Places<'_> {
    /// All its options.
    #[must_use]
    pub fn options(&self) -> Vec<String> {
        let runtime = format!("given={}", self.runtime);
        let pairs = [
            ("--host", self.socket),
            ("--data-root", self.data),
            ("--exec-root", self.exec),
            ("--pidfile", self.pid_file),
            ("--config-file", self.configuration),
            ("--add-runtime", &runtime),
        ];
        let pairs = pairs.into_iter().flat_map(|(option, value)| [option, value]);
        pairs.chain(FIXED).map(str::to_owned).collect()
    }
}
