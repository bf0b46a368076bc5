import Foundation

/// Stacks of threads.
enum Stack {
    /// The stack of the calling thread, outermost frame first.
    static func current() -> [RezMonitor.Frame] {
        frames(Thread.callStackReturnAddresses)
    }

    /// The frames of these addresses, which are innermost first; outermost first, without those of this library.
    static func frames(_ addresses: [NSNumber]) -> [RezMonitor.Frame] {
        Array(addresses.map { frame($0.uint64Value) }.drop { isOwn($0.function) }.reversed())
    }

    /// Whether a mangled name is of the module `RezMonitor`.
    private static func isOwn(_ function: String) -> Bool {
        function.contains("10RezMonitor")
    }

    /// With the function and the image, where the loader knows them. A server with the symbols finds more by the address.
    private static func frame(_ address: UInt64) -> RezMonitor.Frame {
        #if canImport(Darwin)
        var info = Dl_info()
        if let pointer = UnsafeRawPointer(bitPattern: UInt(address)), dladdr(pointer, &info) != 0 {
            let image = info.dli_fname.map { String(cString: $0) } ?? ""
            return RezMonitor.Frame(
                function: info.dli_sname.map { String(cString: $0) } ?? "",
                module: (image as NSString).lastPathComponent,
                address: address,
                inApp: image == Bundle.main.executablePath
            )
        }
        #endif
        return RezMonitor.Frame(address: address)
    }
}
