//! A token of the other kind cancels one of ours.

use countermand::CauseKind;
use countermand::bridges::tokio_util::from_tokio;
use tokio_util::sync::CancellationToken;

use crate::Tried;

pub(crate) fn tried() -> Tried {
    let theirs = CancellationToken::new();
    let ours = from_tokio(&theirs);
    theirs.cancel();
    assert_eq!(ours.cause().map(|cause| cause.kind()), Some(CauseKind::Linked));
    Ok(())
}
