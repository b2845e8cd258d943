//! How the supervisor takes packets in, how much of it from whom, and when it gives up on a part of its own.

use alloc::string::String;
use core::fmt::Display;

use crate::config::Secret;
use crate::config::section::section;

section! {
    /// How the supervisor `weatherlight` is set up: section `weatherlight`. What it listens on is on this machine only.
    WeatherlightSettings / WeatherlightOverrides {
        /// The file of the journal.
        journal: String = String::from("weatherlight.journal"), (text PATH);
        /// The Unix socket that packets are taken from, in a directory of its own. Empty: none.
        socket: String = String::from("weatherlight/intake.sock"), (text PATH);
        /// The TCP address that packets are taken from; it wants the shared secret. Empty: none.
        tcp: String = String::new(), (text LOOPBACK);
        /// The address of the live page, of the metrics and of the health. Empty: none.
        page: String = String::from("127.0.0.1:7077"), (text LOOPBACK);
        /// What senders over TCP must know. Empty: there is none, or `secret_file` has it.
        secret: Secret = Secret::default(), (secret KEY);
        /// A file whose first line is the shared secret, that nobody else may read. Empty: none.
        secret_file: String = String::new(), (text PATH);
        /// How large a packet may be.
        packet_kibibytes: u32 = 256, (1..=65_536), "KiB";
        /// How many packets a second are read from each sender. 0: without limit.
        packets_per_second: u32 = 50_000, (0..=10_000_000), "packets a second";
        /// How much is read from each sender in a second. 0: without limit.
        kibibytes_per_second: u32 = 65_536, (0..=4_194_304), "KiB a second";
        /// How many connections there are at a time at each address that packets are taken from.
        connections: u32 = 64, (1..=200), "connections";
        /// How many of them one sender may have: one process at the socket, one address at TCP.
        connections_per_sender: u32 = 16, (1..=200), "connections";
        /// How many packets of a connection wait for their answer at the most; then it is not read from.
        unanswered: u32 = 1_024, (1..=65_536), "packets";
        /// After how long a connection that sends nothing, or does not read its answers, is closed.
        idle_ms: u64 = 300_000, (100..=86_400_000), "ms";
        /// How many packets are written together at the most.
        commit_packets: u32 = 1_024, (1..=65_536), "packets";
        /// How long a packet waits for others to be written together with.
        commit_ms: u64 = 5, (0..=10_000), "ms";
        /// How many packets of priority LOW wait for the journal at the most.
        room_low: u32 = 8_192, (1..=16_777_216), "packets";
        /// How many packets of priority NORMAL wait for the journal at the most.
        room_normal: u32 = 32_768, (1..=16_777_216), "packets";
        /// How many packets of priority HIGH wait for the journal at the most.
        room_high: u32 = 16_384, (1..=16_777_216), "packets";
        /// How many packets of priority CRITICAL wait for the journal at the most.
        room_critical: u32 = 16_384, (1..=16_777_216), "packets";
        /// How much memory the waiting packets of each priority take.
        room_mebibytes: u32 = 64, (1..=65_536), "MiB";
        /// How long the end waits for what was taken in to be kept.
        drain_ms: u64 = 10_000, (0..=3_600_000), "ms";
        /// How long a part that failed rests before it is started again; each time twice as long.
        restart_first_ms: u64 = 100, (1..=3_600_000), "ms";
        /// How long it rests at the most.
        restart_most_ms: u64 = 30_000, (1..=3_600_000), "ms";
        /// After how long without a failure a part counts as healthy, and rests as briefly as at first.
        restart_healthy_ms: u64 = 60_000, (1..=86_400_000), "ms";
        /// How often a part is started again within `restart_window_ms`; once more, and it has failed.
        restarts: u32 = 10, (0..=1_000_000), "restarts";
        /// The time in which restarts are counted.
        restart_window_ms: u64 = 60_000, (1..=86_400_000), "ms";
    }
}

impl WeatherlightSettings {
    fn check_relations(&self, report: &mut dyn FnMut(&'static str, &dyn Display, &dyn Display)) {
        if self.journal.is_empty() {
            report("journal", &"\"\"", &"without a journal nothing is kept");
        }
        if !self.tcp.is_empty() && self.secret.is_empty() && self.secret_file.is_empty() {
            report("tcp", &self.tcp, &"whoever is on this machine could send: set secret or secret_file");
        }
        if !self.secret.is_empty() && !self.secret_file.is_empty() {
            report("secret_file", &self.secret_file, &"secret is set as well: one of the two would be ignored");
        }
        if self.connections_per_sender > self.connections {
            let why = "more than connections, which are those of all senders";
            report("connections_per_sender", &self.connections_per_sender, &why);
        }
        if self.restart_first_ms > self.restart_most_ms {
            report("restart_first_ms", &self.restart_first_ms, &"longer than restart_most_ms");
        }
    }
}
