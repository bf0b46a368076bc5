internal import RezMonitorCore

extension RezMonitor {
    /// Revenue.
    public struct Revenue: Sendable, Hashable {
        /// The amount, in units of the currency.
        public var amount: Double
        /// ISO 4217 code; empty if the app has one currency that needs no code.
        public var currency: String
        /// The app's id of the transaction.
        public var transactionId: String?
        /// What was bought.
        public var items: [AttributeValue]
        /// The app's own attributes.
        public var attributes: Attributes
        /// The destinations that receive it, by their names. Empty: all.
        public var targets: [String]

        /// Makes revenue.
        public init(
            amount: Double, currency: String = "", transactionId: String? = nil, items: [AttributeValue] = [],
            attributes: Attributes = [:], targets: [String] = []
        ) {
            self.amount = amount
            self.currency = currency
            self.transactionId = transactionId
            self.items = items
            self.attributes = attributes
            self.targets = targets
        }
    }
}

extension RezMonitor.Revenue {
    var core: RezMonitorCore.Revenue {
        RezMonitorCore.Revenue(
            amount: amount, currency: currency, transactionId: transactionId, items: items.map(\.core),
            attrs: attributes.core, targets: targets
        )
    }
}
