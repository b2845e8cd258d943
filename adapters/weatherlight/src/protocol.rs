//! How to talk to a supervisor that runs: what to send, and what it answers.
//!
//! # Sending
//!
//! Connect to the Unix socket (`weatherlight.socket`) or, if it is configured, to the TCP port (`weatherlight.tcp`), and write a first line:
//!
//! ```text
//! weatherlight/1 json
//! weatherlight/1 protobuf
//! ```
//!
//! Over TCP the shared secret follows as a third word: `weatherlight/1 json SECRET`. At the Unix socket a connection that begins with a line of
//! JSON needs no first line.
//!
//! Then come packets of the schema `esper.leyline.v1`: as protobuf-JSON, one a line; or in protobuf, each after its length as a varint.
//! White space between lines is skipped. There is no end to write: close the connection, or only its sending half, and read on until the
//! answers have come.
//!
//! # Answers
//!
//! For each packet comes one line of JSON, also to those who send protobuf. Answers come in the order in which packets become durable, which is
//! not the order in which they were sent: an alarm does not wait for what was sent before it.
//!
//! ```text
//! {"id":"5f0c…","number":1,"ok":true,"packet_id":"p-1"}
//! {"error":"line 2: column 75: level: unknown variant …","id":"11ab…","number":2,"ok":false,"retry":false}
//! ```
//!
//! | key | meaning |
//! | --- | --- |
//! | `ok` | `true`: it is durable, and survives a kill of the supervisor at any point. `false`: it is not |
//! | `number` | which one it is in this connection: the number of the line, or of the packet, from 1 |
//! | `packet_id` | the sender's own name for it; absent if it could not be read |
//! | `id` | the supervisor's name for it: 32 hexadecimal digits, made from the bytes |
//! | `error` | why it is not kept |
//! | `retry` | whether it is worth sending again: there was no room, or the supervisor ends. `false`: it would come to the same |
//!
//! A packet that could not be kept within five seconds, because the disk is full, is answered with `retry: true`: so an alarm behind it is read, and
//! finds its place in the reserve. The packet itself goes on its way, and is kept once however often it is sent.
//!
//! What was not answered before the connection broke is kept or not. Send it again: the same bytes have the same id, and are kept once.
//!
//! What is no packet is answered with `ok: false` and kept as a dead letter with its reason. After a hundred of these in a row the
//! connection is closed. A connection that is not let in gets one line with `ok: false` and no `number`, and is closed.
//!
//! # Limits
//!
//! A packet has at most `weatherlight.packet_kibibytes`. A sender that is faster than `packets_per_second` or `kibibytes_per_second` is not
//! refused; it is read from more slowly. At most `unanswered` packets of a connection are on their way at a time. There are at most
//! `connections` at each address, and `connections_per_sender` of one process or address.
//!
//! # Asking
//!
//! At the Unix socket, after the first line `weatherlight/1 ask`, one line of JSON is a question. The answer is lines of JSON, and then the
//! connection is closed. An answer with the key `error` is none.
//!
//! | question | answer |
//! | --- | --- |
//! | `{"ask":"ledger"}` | the ledgers of the journal and of the router |
//! | `{"ask":"tail","stream":"normal","follow":false}` | each packet of the stream: a line about it, whose `bytes` says how many bytes of the packet follow, and those, with a line end behind them |
//! | `{"ask":"dead_letters"}` | a line about each dead letter |
//! | `{"ask":"dead_letter","number":7}` | a line about it, and the packet as above |
//! | `{"ask":"replay","numbers":[7]}`, `{"ask":"replay","all":true}` | how many were routed once more; a line for each that cannot be |
//! | `{"ask":"purge","numbers":[7]}`, `{"ask":"purge","all":true}` | how many were thrown away |
//!
//! `weatherlight send`, `tail`, `ledger` and `deadletter` speak this.
