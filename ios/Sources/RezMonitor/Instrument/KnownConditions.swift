/// The conditions that the instruments know, each its own part, and the breadcrumbs of their changes.
final class KnownConditions: Sendable {
    private let known = Locked(RezMonitor.Conditions())
    private let crumbs: Bool

    /// - Parameter crumbs: whether a change is a breadcrumb.
    init(crumbs: Bool) {
        self.crumbs = crumbs
    }

    /// Changes a part and passes all of them. A change that is none passes nothing.
    ///
    /// - Parameters:
    ///   - category: the category of the breadcrumb.
    ///   - message: what the breadcrumb says.
    func change(_ category: String, _ message: String, _ body: (inout RezMonitor.Conditions) -> Void) {
        let (before, after) = known.with { known in
            let before = known
            body(&known)
            return (before, known)
        }
        guard before != after else { return }
        RezMonitor.setConditions(after)
        if crumbs { RezMonitor.addBreadcrumb(category: category, message: message) }
    }
}
