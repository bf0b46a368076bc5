import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// A duration that the app measured. Durations are in seconds; a negative one is 0.
    public struct Timing: Sendable, Hashable {
        /// What a timing measures.
        public enum Kind: Sendable, Hashable {
            /// A screen from navigation to display.
            case screenLoad
            /// From the start of the process to the first screen.
            case appStart
            /// An HTTP exchange.
            case apiCall
            /// An image fetched and decoded.
            case imageLoad
            /// The main thread was busy for a long time.
            case longTask
        }

        /// Whether the process was started for it.
        public enum Start: String, Sendable, Encodable {
            /// The process was started.
            case cold
            /// The process was there already.
            case warm
        }

        /// What it measures.
        public let kind: Kind
        /// The name of a screen or task, the URL of a call or image, or `cold` or `warm`.
        public let name: String
        /// The duration, in seconds.
        public var duration: TimeInterval
        /// The HTTP method of a call.
        public var method: String?
        /// When it started. Default: the end minus the duration.
        public var started: Date?
        /// When it ended. Default: the start plus the duration.
        public var ended: Date?
        /// The time until the first frame of a screen, in seconds.
        public var initialDisplay: TimeInterval?
        /// The HTTP status.
        public var status: Int?
        /// Bytes sent; used with ``responseBytes``.
        public var requestBytes: Int64?
        /// Bytes received; used with ``requestBytes``.
        public var responseBytes: Int64?
        /// Why there was no response.
        public var error: String?
        /// The name under which ``RezMonitor/metrics()`` counts a call. Default: a template of the URL.
        public var endpoint: String?
        /// Headers of the request; only those that the setting `recordedHeaders` names are recorded.
        public var requestHeaders: [String: String] = [:]
        /// Headers of the response; the same.
        public var responseHeaders: [String: String] = [:]
        /// Its span.
        public var trace: TraceContext?
        /// The app's own attributes.
        public var attributes: Attributes = [:]
        /// The destinations that receive it, by their names. Empty: all.
        public var targets: [String] = []

        private init(_ kind: Kind, _ name: String, _ duration: TimeInterval) {
            self.kind = kind
            self.name = name
            self.duration = duration
        }

        /// A screen load of this name.
        public static func screenLoad(_ name: String, duration: TimeInterval) -> Timing {
            Timing(.screenLoad, name, duration)
        }

        /// A start of the app.
        public static func appStart(_ start: Start, duration: TimeInterval) -> Timing {
            Timing(.appStart, start.rawValue, duration)
        }

        /// An HTTP call. Only a template of the URL is stored; its query never is.
        public static func apiCall(method: String, url: String, duration: TimeInterval) -> Timing {
            var timing = Timing(.apiCall, url, duration)
            timing.method = method
            return timing
        }

        /// A load of the image at this URL.
        public static func imageLoad(url: String, duration: TimeInterval) -> Timing {
            Timing(.imageLoad, url, duration)
        }

        /// A long task of this name.
        public static func longTask(_ name: String, duration: TimeInterval) -> Timing {
            Timing(.longTask, name, duration)
        }
    }
}

extension RezMonitor.Timing {
    var core: RezMonitorCore.Timing {
        RezMonitorCore.Timing(
            kind: kind.core,
            name: name,
            durationUs: duration.microseconds,
            method: method,
            startedMs: started?.wallMilliseconds,
            atMs: ended?.wallMilliseconds,
            initialUs: initialDisplay?.microseconds,
            status: status.flatMap(UInt16.init(exactly:)),
            requestBytes: requestBytes,
            responseBytes: responseBytes,
            error: error,
            endpoint: endpoint,
            requestHeaders: requestHeaders.pairs,
            responseHeaders: responseHeaders.pairs,
            trace: trace?.core,
            attrs: attributes.core,
            targets: targets
        )
    }
}

extension RezMonitor.Timing.Kind {
    var core: TimingKind {
        switch self {
        case .screenLoad: .screenLoad
        case .appStart: .appStart
        case .apiCall: .apiCall
        case .imageLoad: .imageLoad
        case .longTask: .longTask
        }
    }
}
