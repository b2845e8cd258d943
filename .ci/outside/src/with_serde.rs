//! An identifier is read through the door that checks it.

use countermand::TrainingRunId;

use crate::Tried;

pub(crate) fn tried() -> Tried {
    let run: TrainingRunId = serde_json::from_str("\"run-17\"")?;
    assert_eq!(serde_json::to_string(&run)?, "\"run-17\"");
    assert!(serde_json::from_str::<TrainingRunId>("\" \"").is_err());
    Ok(())
}
