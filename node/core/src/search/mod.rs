//! temp
pub const NORMALISER_VERSION: u32 = 1;
pub mod index {
    use crate::{alert::*, pb, state::family::Family};
    pub struct IndexInput<'a> {
        pub id: AlertId,
        pub partition: Partition,
        pub label: LabelId,
        pub priority: u8,
        pub created_at_ms: u64,
        pub normaliser: u32,
        pub alert: &'a pb::Alert,
    }
    pub fn derive(i: &IndexInput<'_>, e: &mut dyn FnMut(Family, Vec<u8>, Vec<u8>)) {
        e(Family::Exact, i.id.as_bytes().to_vec(), vec![])
    }
}
pub fn sharing_an_identifier(
    _: &dyn crate::state::View,
    _: u32,
    _: &crate::pb::Alert,
) -> Result<Vec<crate::alert::AlertId>, crate::state::ViewError> {
    Ok(vec![])
}
