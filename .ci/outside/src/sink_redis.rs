//! An entry is signed. (There is no server to ask.)

use countermand::sinks::redis::Signer;

use crate::Tried;

pub(crate) fn tried() -> Tried {
    let signer = Signer::new("correct-horse").ok_or("the key is not empty")?;
    let entry = [(&b"id"[..], &b"1"[..])];
    let signature = signer.sign(entry);
    assert!(signer.verify(entry, signature.as_bytes()) && !signer.verify([], signature.as_bytes()));
    Ok(())
}
