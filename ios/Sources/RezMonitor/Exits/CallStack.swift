/// The stack of the thread that crashed, in a `callStackTree` of MetricKit.
enum CallStack {
    /// One line per frame, innermost first: the library, the offset in its text segment, and its build id.
    static func attributed(_ tree: Members, most: Int) -> [String] {
        let stacks = tree.objects("callStacks")
        let crashed = stacks.first { $0.flag("threadAttributed") == true }
        guard let stack = crashed ?? stacks.first else { return [] }
        var lines: [String] = []
        var frame = stack.objects("callStackRootFrames").first
        // Each frame has its caller in `subFrames`.
        while let one = frame, lines.count < most {
            lines.append(line(one))
            frame = one.objects("subFrames").first
        }
        return lines
    }

    private static func line(_ frame: Members) -> String {
        let library = frame.text("binaryName") ?? "?"
        let offset = frame.whole("offsetIntoBinaryTextSegment").map { offset in
            "+0x" + String(UInt64(bitPattern: Int64(offset)), radix: 16)
        }
        let id = frame.text("binaryUUID").map { " " + $0 }
        return library + (offset ?? "") + (id ?? "")
    }
}
