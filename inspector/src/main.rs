//! The program `rezq`.

fn main() -> std::process::ExitCode {
    rez_inspect::cli::main()
}
