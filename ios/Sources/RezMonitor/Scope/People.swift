internal import RezMonitorCore

extension RezMonitor {
    /// Changes of the profile of the user.
    public static var people: People { People() }

    /// Changes the profile of the user: `RezMonitor.people.set("plan", to: "pro")`.
    ///
    /// Each call is an event of its own, which needs the consent to analytics.
    public struct People: Sendable {
        /// Sets a property.
        @discardableResult
        public func set(_ name: String, to value: AttributeValue) -> Outcome {
            record(.set(name: name, value: value.core))
        }

        /// Sets a property that has no value yet.
        @discardableResult
        public func setOnce(_ name: String, to value: AttributeValue) -> Outcome {
            record(.setOnce(name: name, value: value.core))
        }

        /// Removes a property.
        @discardableResult
        public func unset(_ name: String) -> Outcome {
            record(.unset(name: name))
        }

        /// Adds to a number. Sent at most once.
        @discardableResult
        public func increment(_ name: String, by amount: Double = 1) -> Outcome {
            record(.increment(name: name, by: amount))
        }

        /// Appends to a list. Sent at most once.
        @discardableResult
        public func append(_ value: AttributeValue, to name: String) -> Outcome {
            record(.append(name: name, value: value.core))
        }

        /// Adds to a list what is not in it; at most 64 values.
        @discardableResult
        public func union(_ values: [AttributeValue], with name: String) -> Outcome {
            record(.union(name: name, values: values.map(\.core)))
        }

        /// Removes a value from a list.
        @discardableResult
        public func remove(_ value: AttributeValue, from name: String) -> Outcome {
            record(.remove(name: name, value: value.core))
        }

        /// Deletes the profile. What is stored on the device remains; ``RezMonitor/forgetUser()`` erases it.
        @discardableResult
        public func delete() -> Outcome {
            record(.delete)
        }

        private func record(_ change: RezMonitorCore.People) -> Outcome {
            Engine.record { RezMonitorCore.people(handle: $0, change: change) }
        }
    }
}
