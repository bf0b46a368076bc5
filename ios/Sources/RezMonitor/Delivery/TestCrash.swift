extension RezMonitor {
    /// A crash that ``RezMonitor/testCrash(_:)`` makes.
    public enum TestCrash: String, Sendable, CaseIterable {
        /// An exception of Objective-C on the main thread that nothing catches. On Apple's systems only.
        case exception
        /// A write to memory that is not there: `SIGSEGV`, on Apple's systems `EXC_BAD_ACCESS`.
        case fault
        /// `SIGABRT`.
        case abort
        /// A panic of Rust, which ends the process by `SIGABRT`.
        case panic
    }
}
