internal import RezMonitorCore

extension RezMonitor {
    /// A stack frame. What is not known is empty or 0.
    public struct Frame: Sendable, Hashable {
        /// The function.
        public var function: String
        /// The class, package or library.
        public var module: String
        /// The file.
        public var file: String
        /// The line, from 1.
        public var line: UInt32
        /// The column, from 1.
        public var column: UInt32
        /// The address of the instruction.
        public var address: UInt64
        /// Whether it is the app's own code.
        public var inApp: Bool
        /// What it was written in, if that differs from the error.
        public var language: Language?

        /// Makes a frame of what is known.
        public init(
            function: String = "", module: String = "", file: String = "", line: UInt32 = 0, column: UInt32 = 0,
            address: UInt64 = 0, inApp: Bool = false, language: Language? = nil
        ) {
            self.function = function
            self.module = module
            self.file = file
            self.line = line
            self.column = column
            self.address = address
            self.inApp = inApp
            self.language = language
        }
    }
}

extension RezMonitor.Frame {
    var core: RezMonitorCore.Frame {
        RezMonitorCore.Frame(
            function: function, module: module, file: file, line: line, column: column, address: address, inApp: inApp,
            language: language?.core
        )
    }
}
