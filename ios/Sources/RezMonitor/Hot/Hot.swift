internal import RezMonitorFFI

/// The calls that happen often, through a hot record.
enum Hot {
    /// Bytes of a record on the stack. A larger one is recorded by the generated call.
    private static let size = 4_096

    /// Writes a record and submits it. Returns nothing if it does not fit, or the library does not know it: then nothing was
    /// recorded or counted.
    @inline(__always)
    static func submit(_ handle: UInt64, _ call: UInt8, _ write: (inout HotRecord) -> Void) -> RezMonitor.Outcome? {
        withUnsafeTemporaryAllocation(byteCount: size + 64, alignment: 8) { bytes in
            var record = HotRecord(UnsafeMutableRawBufferPointer(rebasing: bytes[..<size]), call: call)
            write(&record)
            guard record.isComplete, let start = bytes.baseAddress else { return nil }
            let answer = (start + size).assumingMemoryBound(to: UInt8.self)
            let length = rez_monitor_submit(
                handle, start.assumingMemoryBound(to: UInt8.self), record.count, answer)
            if length == .min { return nil }
            let text = String(decoding: UnsafeBufferPointer(start: answer, count: Int(length.magnitude)), as: UTF8.self)
            return length < 0 ? .dropped(reason: text) : .recorded(id: text)
        }
    }

    static func timing(_ handle: UInt64, _ timing: RezMonitor.Timing) -> RezMonitor.Outcome? {
        let sent = timing.requestBytes.flatMap(UInt64.init(exactly:))
        let received = timing.responseBytes.flatMap(UInt64.init(exactly:))
        // One without the other, and a negative one, are rules of the generated call.
        guard timing.trace == nil, (timing.requestBytes == nil) == (timing.responseBytes == nil),
            (sent == nil) == (timing.requestBytes == nil), (received == nil) == (timing.responseBytes == nil)
        else { return nil }
        return submit(handle, 1) { record in
            record.byte(timing.kind.number)
            record.number(UInt64(timing.duration.microseconds))
            record.text(timing.name)
            record.text(timing.method, bit: 4)
            if let status = timing.status.flatMap(UInt16.init(exactly:)) {
                record.mark(5)
                record.number(status)
            }
            if let sent, let received {
                record.mark(6)
                record.number(sent)
                record.number(received)
            }
            record.text(timing.error, bit: 7)
            record.text(timing.endpoint, bit: 8)
            if let started = timing.started {
                record.mark(9)
                record.number(started.wallMilliseconds)
            }
            if let initial = timing.initialDisplay {
                record.mark(10)
                record.number(UInt64(initial.microseconds))
            }
            record.headers(timing.requestHeaders, bit: 11)
            record.headers(timing.responseHeaders, bit: 12)
            record.common(timing.ended?.wallMilliseconds, timing.targets, timing.attributes)
        }
    }

    static func breadcrumb(_ handle: UInt64, _ crumb: RezMonitor.Breadcrumb) -> RezMonitor.Outcome? {
        submit(handle, 2) { record in
            record.byte(crumb.level.number)
            record.text(crumb.type)
            record.text(crumb.category)
            record.text(crumb.message)
            record.common(crumb.date?.wallMilliseconds, [], crumb.data)
        }
    }

    static func event(
        _ handle: UInt64, _ name: String, _ attributes: RezMonitor.Attributes, _ options: RezMonitor.EventOptions
    ) -> RezMonitor.Outcome? {
        guard options.isCommon else { return nil }
        return submit(handle, 3) { record in
            record.text(name)
            record.common(options.date?.wallMilliseconds, options.targets, attributes)
        }
    }
}

extension RezMonitor.EventOptions {
    /// Whether a hot record can hold them.
    fileprivate var isCommon: Bool {
        trace == nil && tags.isEmpty && user == nil && context.isEmpty && conditions == nil
    }
}

extension RezMonitor.Timing.Kind {
    fileprivate var number: UInt8 {
        switch self {
        case .screenLoad: 0
        case .appStart: 1
        case .apiCall: 2
        case .imageLoad: 3
        case .longTask: 4
        }
    }
}

extension RezMonitor.Level {
    fileprivate var number: UInt8 {
        switch self {
        case .trace: 0
        case .debug: 1
        case .info: 2
        case .warning: 3
        case .error: 4
        case .fatal: 5
        }
    }
}
