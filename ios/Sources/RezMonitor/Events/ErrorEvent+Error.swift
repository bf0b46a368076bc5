import Foundation

extension RezMonitor.ErrorEvent {
    /// Makes an error event of a Swift error.
    ///
    /// The type is that of the Swift error, or the domain of an `NSError`, whose code becomes ``code``. The underlying errors
    /// become ``causes``. The frames are the stack of the call.
    ///
    /// - Parameter error: the error.
    public init(_ error: any Error) {
        let described = Described(error)
        self.init(type: described.type, message: described.message)
        code = described.code
        language = .cocoa
        causes = Self.causes(of: error)
        frames = Stack.current()
    }

    private static func causes(of error: any Error) -> [RezMonitor.Cause] {
        var causes: [RezMonitor.Cause] = []
        var parent: UInt32 = 0
        var next = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
        // The core keeps ten. A chain that ends in itself ends here too.
        while let cause = next, causes.count < 10 {
            let described = Described(cause)
            causes.append(
                RezMonitor.Cause(
                    type: described.type, message: described.message, parent: parent, source: NSUnderlyingErrorKey))
            parent = UInt32(causes.count)
            next = (cause as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
        }
        return causes
    }

    private struct Described {
        let type: String
        let message: String
        let code: String?

        init(_ error: any Error) {
            // Every Swift error casts to NSError; only an object of Foundation has it as its own type.
            if let object = error as Any as? NSError, Swift.type(of: error) is NSError.Type {
                type = object.domain
                code = String(object.code)
                message = object.localizedDescription
            } else {
                type = String(reflecting: Swift.type(of: error))
                code = nil
                message = (error as? any LocalizedError)?.errorDescription ?? String(describing: error)
            }
        }
    }
}
