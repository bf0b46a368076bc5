#if canImport(Network)
import Dispatch
import Network

/// The network path of the system.
enum NetworkPath {
    static func follow(_ conditions: KnownConditions) -> Undo {
        let monitor = NWPathMonitor()
        monitor.pathUpdateHandler = { path in
            let isOnline = path.status == .satisfied
            RezMonitor.setNetwork(isOnline ? .online : .offline)
            let kind = isOnline ? connection(path) : .offline
            conditions.change("device.network", kind.rawValue) {
                $0.connection = kind
                $0.metered = path.isExpensive || path.isConstrained
            }
        }
        monitor.start(queue: DispatchQueue(label: "app.rez.monitor.network", qos: .utility))
        return { monitor.cancel() }
    }

    private static func connection(_ path: NWPath) -> RezMonitor.Connection {
        if path.usesInterfaceType(.wifi) { return .wifi }
        if path.usesInterfaceType(.cellular) { return .cellular }
        if path.usesInterfaceType(.wiredEthernet) { return .ethernet }
        return .other
    }
}
#endif
