#if canImport(SwiftUI)
import RezMonitor
import SwiftUI

extension View {
    /// Measures the load of this screen, from the first evaluation of the view until it appears, and makes it the screen of
    /// later events.
    ///
    /// ```swift
    /// HomeView().rezScreen("Home")
    /// ```
    ///
    /// - Parameter name: the name of the screen.
    public func rezScreen(_ name: String) -> some View {
        modifier(RezScreen(name: name))
    }
}

private struct RezScreen: ViewModifier {
    @StateObject private var screen: ScreenInProgress

    init(name: String) {
        _screen = StateObject(wrappedValue: ScreenInProgress(name))
    }

    func body(content: Content) -> some View {
        content.onAppear { screen.appeared() }
    }
}

/// A load from the first evaluation of a view; one more for each time that it appears again.
@MainActor
private final class ScreenInProgress: ObservableObject {
    private let name: String
    private var load: RezMonitor.ScreenLoad?

    nonisolated init(_ name: String) {
        self.name = name
        load = RezMonitor.trackScreenLoad(name)
    }

    func appeared() {
        let load = load ?? RezMonitor.trackScreenLoad(name)
        self.load = nil
        // After the frame in which the view appears.
        DispatchQueue.main.async { load.finish() }
    }
}
#endif
