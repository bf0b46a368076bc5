import Foundation

/// The debugger of Xcode.
enum Debugger {
    /// Whether one is attached to this process.
    static var isAttached: Bool {
        #if canImport(Darwin)
        var process = kinfo_proc()
        var size = MemoryLayout<kinfo_proc>.stride
        var name = [CTL_KERN, KERN_PROC, KERN_PROC_PID, getpid()]
        guard sysctl(&name, u_int(name.count), &process, &size, nil, 0) == 0 else { return false }
        return process.kp_proc.p_flag & P_TRACED != 0
        #else
        return false
        #endif
    }
}
