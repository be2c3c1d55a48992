//! `cargo bench -p benches --bench compare`; see the library's document.

fn main() -> std::process::ExitCode {
    benches::main()
}
