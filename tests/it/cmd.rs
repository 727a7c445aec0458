//! What commands print and how they end: the cases are files in `tests/cmd`.
//!
//! `TRYCMD=overwrite cargo test --test it cmd` writes the output of the cases anew.

#[test]
fn commands_print_what_the_cases_say() {
    trycmd::TestCases::new().case("tests/cmd/*/*.trycmd");
}
