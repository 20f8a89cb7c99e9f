//! x
pub(crate) fn generate(
    _: &ir::lane::Program,
    _: &ir::Target,
) -> Result<Vec<u8>, crate::failure::Failure> {
    todo!()
}
