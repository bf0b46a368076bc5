//! Names of attributes, events and metrics, in one place: most semantic conventions for apps are still in `development`
//! and can change. Names that the conventions do not define are listed separately.

/// Attributes of the resource: app, release and device.
pub(super) mod resource {
    pub(in super::super) const SERVICE_NAME: &str = "service.name";
    pub(in super::super) const SERVICE_VERSION: &str = "service.version";
    pub(in super::super) const SERVICE_INSTANCE: &str = "service.instance.id";
    pub(in super::super) const ENVIRONMENT: &str = "deployment.environment.name";
    pub(in super::super) const OS_NAME: &str = "os.name";
    pub(in super::super) const OS_VERSION: &str = "os.version";
    pub(in super::super) const DEVICE_MODEL: &str = "device.model.identifier";
    pub(in super::super) const OS_BUILD: &str = "os.build_id";
    pub(in super::super) const DEVICE_MANUFACTURER: &str = "device.manufacturer";
    pub(in super::super) const HOST_ARCH: &str = "host.arch";
    pub(in super::super) const BUILD: &str = "app.build_id";
    pub(in super::super) const INSTALLATION: &str = "app.installation.id";
    pub(in super::super) const RUNTIME_NAME: &str = "process.runtime.name";
    pub(in super::super) const RUNTIME_VERSION: &str = "process.runtime.version";
    pub(in super::super) const SDK_NAME: &str = "telemetry.sdk.name";
    pub(in super::super) const SDK_LANGUAGE: &str = "telemetry.sdk.language";
    pub(in super::super) const SDK_VERSION: &str = "telemetry.sdk.version";
    // Not in the conventions.
    pub(in super::super) const DEVICE_BRAND: &str = "app.device.brand";
    pub(in super::super) const DEVICE_FAMILY: &str = "app.device.family";
    pub(in super::super) const DEVICE_MEMORY: &str = "app.device.memory";
    pub(in super::super) const DEVICE_STORAGE: &str = "app.device.storage";
    pub(in super::super) const SCREEN_WIDTH: &str = "app.device.screen.width";
    pub(in super::super) const SCREEN_HEIGHT: &str = "app.device.screen.height";
    pub(in super::super) const SCREEN_DENSITY: &str = "app.device.screen.density";
    pub(in super::super) const EMULATOR: &str = "app.device.emulator";
    pub(in super::super) const ROOTED: &str = "app.device.rooted";
    pub(in super::super) const LOCALE: &str = "app.locale";
    pub(in super::super) const TIME_ZONE: &str = "app.time_zone";
    pub(in super::super) const APP_VERSION: &str = "app.version";
    pub(in super::super) const APP_BUILD: &str = "app.build";
    pub(in super::super) const APP_ID: &str = "app.id";
    pub(in super::super) const INSTALL_SOURCE: &str = "app.install.source";
    pub(in super::super) const START_KIND: &str = "app.start.kind";
}

/// Attributes of the conditions of a record.
pub(super) mod conditions {
    pub(in super::super) const CONNECTION: &str = "network.connection.type";
    pub(in super::super) const TECHNOLOGY: &str = "network.connection.subtype";
    /// Not in the conventions: the attribute, and the member of `conditions`.
    pub(in super::super) const OURS: [(&str, &str); 8] = [
        ("app.device.memory.free", "free_memory_bytes"),
        ("app.device.storage.free", "free_storage_bytes"),
        ("app.device.battery.level", "battery"),
        ("app.device.battery.charging", "charging"),
        ("app.device.low_power", "low_power"),
        ("app.device.orientation", "orientation"),
        ("app.network.metered", "metered"),
        ("app.foreground", "foreground"),
    ];
}

/// Names of log events.
pub(super) mod event {
    pub(in super::super) const EXCEPTION: &str = "exception";
    pub(in super::super) const CRASH: &str = "app.crash";
    pub(in super::super) const CLICK: &str = "app.widget.click";
    pub(in super::super) const SESSION_START: &str = "session.start";
    pub(in super::super) const SESSION_END: &str = "session.end";
    // Not in the conventions.
    pub(in super::super) const ALERT: &str = "app.alert";
    pub(in super::super) const BREADCRUMB: &str = "app.breadcrumb";
    pub(in super::super) const EXIT: &str = "app.exit";
    pub(in super::super) const FEEDBACK: &str = "app.feedback";
    pub(in super::super) const HANG: &str = "app.hang";
    pub(in super::super) const INTERACTION: &str = "app.interaction";
    pub(in super::super) const REVENUE: &str = "app.revenue";
    pub(in super::super) const SCREEN_END: &str = "app.screen.end";
    pub(in super::super) const SCREEN_VIEW: &str = "app.screen.view";
    pub(in super::super) const USER_DELETE: &str = "app.user.delete";
    pub(in super::super) const USER_SET: &str = "app.user.set";
    pub(in super::super) const USER_UNSET: &str = "app.user.unset";
}

/// Names of metrics. None of them is in the conventions.
pub(super) mod metric {
    pub(in super::super) const FRAMES_FROZEN: &str = "app.frames.frozen";
    pub(in super::super) const FRAMES_SLOW: &str = "app.frames.slow";
    pub(in super::super) const FRAMES_TOTAL: &str = "app.frames.total";
    pub(in super::super) const DROPPED: &str = "app.queue.dropped";
}

pub(super) const ERROR_TYPE: &str = "error.type";
pub(super) const EXCEPTION_MESSAGE: &str = "exception.message";
pub(super) const EXCEPTION_STACK: &str = "exception.stacktrace";
pub(super) const EXCEPTION_TYPE: &str = "exception.type";
pub(super) const HTTP_METHOD: &str = "http.request.method";
pub(super) const HTTP_METHOD_ORIGINAL: &str = "http.request.method_original";
/// Followed by the name of the header.
pub(super) const HTTP_REQUEST_HEADER: &str = "http.request.header.";
pub(super) const HTTP_RESPONSE_HEADER: &str = "http.response.header.";
pub(super) const HTTP_REQUEST_BYTES: &str = "http.request.body.size";
pub(super) const HTTP_RESPONSE_BYTES: &str = "http.response.body.size";
pub(super) const HTTP_STATUS: &str = "http.response.status_code";
pub(super) const RECORD_ID: &str = "log.record.uid";
pub(super) const SCREEN_ID: &str = "app.screen.id";
pub(super) const SCREEN_NAME: &str = "app.screen.name";
pub(super) const SERVER_ADDRESS: &str = "server.address";
pub(super) const SERVER_PORT: &str = "server.port";
pub(super) const SESSION_ID: &str = "session.id";
pub(super) const THREAD_ID: &str = "thread.id";
pub(super) const THREAD_NAME: &str = "thread.name";
pub(super) const URL_FULL: &str = "url.full";
pub(super) const URL_TEMPLATE: &str = "url.template";
pub(super) const USER_ANONYMOUS: &str = "enduser.pseudo.id";
pub(super) const USER_EMAIL: &str = "user.email";
pub(super) const USER_ID: &str = "user.id";
pub(super) const USER_NAME: &str = "user.name";
pub(super) const WIDGET_ID: &str = "app.widget.id";

// Ours.
pub(super) const ALERT_COLLAPSED: &str = "app.alert.collapsed_before";
pub(super) const ALERT_DESCRIPTION: &str = "app.alert.description";
pub(super) const ALERT_SEVERITY: &str = "app.alert.severity";
pub(super) const BREADCRUMB_CATEGORY: &str = "app.breadcrumb.category";
pub(super) const BREADCRUMB_DATA: &str = "app.breadcrumb.data";
pub(super) const BREADCRUMB_OF: &str = "app.breadcrumb.of";
pub(super) const BREADCRUMB_TYPE: &str = "app.breadcrumb.type";
pub(super) const CONTEXT: &str = "app.context";
pub(super) const CONTEXTS: &str = "app.contexts";
pub(super) const CRASH_REPORTS: &str = "app.crash.reports";
pub(super) const CRASH_SINCE_SCREEN: &str = "app.crash.since_screen";
pub(super) const CRASH_SINCE_START: &str = "app.crash.since_start";
pub(super) const CUT: &str = "app.cut";
pub(super) const DROPPED_EPOCH: &str = "app.queue.epoch";
pub(super) const DROPPED_KIND: &str = "app.queue.kind";
pub(super) const DROPPED_REASON: &str = "app.queue.reason";
pub(super) const ERROR_CODE: &str = "app.error.code";
pub(super) const MESSAGE_COLLAPSED: &str = "app.message.collapsed_before";
pub(super) const ERROR_COLLAPSED: &str = "app.error.collapsed_before";
pub(super) const ERROR_FINGERPRINT: &str = "app.error.fingerprint";
pub(super) const ERROR_HANDLED: &str = "app.error.handled";
pub(super) const ERROR_LANGUAGE: &str = "app.error.language";
pub(super) const ERROR_MECHANISM: &str = "app.error.mechanism";
pub(super) const ERROR_SEVERITY: &str = "app.error.severity";
pub(super) const EVENT_DURATION: &str = "app.event.duration";
pub(super) const EXIT_CAUSE: &str = "app.exit.cause";
pub(super) const FEEDBACK_ABOUT: &str = "app.feedback.about";
pub(super) const FEEDBACK_EMAIL: &str = "app.feedback.email";
pub(super) const FEEDBACK_NAME: &str = "app.feedback.name";
pub(super) const FLAGS: &str = "app.feature_flags";
pub(super) const LOGGER: &str = "app.logger.name";
pub(super) const HANG_DURATION: &str = "app.hang.duration";
pub(super) const INTERACTION_ACTION: &str = "app.interaction.action";
pub(super) const LONG_TASK: &str = "app.long_task.name";
pub(super) const RESOURCE_TYPE: &str = "app.resource.type";
pub(super) const REVENUE_AMOUNT: &str = "app.revenue.amount";
pub(super) const REVENUE_CURRENCY: &str = "app.revenue.currency";
pub(super) const REVENUE_ITEMS: &str = "app.revenue.items";
pub(super) const REVENUE_TRANSACTION: &str = "app.revenue.transaction_id";
pub(super) const SCREEN_CLASS: &str = "app.screen.class";
pub(super) const SCREEN_FULL: &str = "app.screen.full_display";
pub(super) const SCREEN_KEY: &str = "app.screen.key";
pub(super) const SCREEN_SHOWN: &str = "app.screen.duration";
pub(super) const SCREEN_TIMINGS: &str = "app.screen.timings";
pub(super) const SCREEN_INITIAL: &str = "app.screen.initial_display";
pub(super) const SESSION_DURATION: &str = "app.session.duration";
pub(super) const SESSION_ERRORS: &str = "app.session.errors";
pub(super) const SESSION_STATUS: &str = "app.session.status";
pub(super) const SLOW: &str = "app.slow";
pub(super) const SPAN_OP: &str = "app.span.op";
pub(super) const START_TYPE: &str = "app.start.type";
pub(super) const TAGS: &str = "app.tags";
pub(super) const THREADS: &str = "app.threads";
pub(super) const USER: &str = "app.user";
pub(super) const USER_PROPERTY: &str = "app.user.property.name";
pub(super) const USER_PROPERTY_VALUE: &str = "app.user.property.value";

/// Prefix of an app's attribute whose name the engine uses.
pub(super) const APP_ATTRIBUTE: &str = "app.attribute.";

/// Attributes that any record can have. An app's attribute with one of these names gets the prefix even if the record
/// does not have it, so that the two are never confused.
pub(super) const STAMPED: [&str; 10] = [
    RECORD_ID,
    SESSION_ID,
    SCREEN_NAME,
    SCREEN_ID,
    USER_ANONYMOUS,
    USER_ID,
    USER_EMAIL,
    USER_NAME,
    EXCEPTION_TYPE,
    EXCEPTION_MESSAGE,
];
