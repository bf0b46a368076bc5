package app.rez.monitor

import app.rez.monitor.internal.Metric
import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.clearMetrics
import app.rez.monitor.internal.metric
import app.rez.monitor.internal.metrics

/** Numbers of the app, and the durations that the engine has measured. */
public class Metrics internal constructor() {
    /** Adds to a counter. */
    @JvmOverloads
    public fun count(name: String, value: Double = 1.0): Outcome = record(0, name, value) { Metric.Counter(value) }

    /** Records the present value. */
    public fun gauge(name: String, value: Double): Outcome = record(1, name, value) { Metric.Gauge(value) }

    /** Records one of many values whose distribution matters. */
    public fun distribution(name: String, value: Double): Outcome = record(2, name, value) { Metric.Distribution(value) }

    /** The durations that were recorded in this run, by name. */
    public fun durations(): List<DurationSummary> = Recorder.engine?.call(emptyList()) { handle ->
        metrics(handle).map {
            DurationSummary(it.name, it.last.toLong(), it.count.toLong(), it.p50.toLong(), it.p95.toLong(), it.p99.toLong())
        }
    } ?: emptyList()

    /** Clears them. */
    public fun clearDurations() {
        Recorder.engine?.call(Unit) { clearMetrics(it) }
    }

    private inline fun record(type: Int, name: String, value: Double, generated: () -> Metric): Outcome = Recorder.submit(
        isFull = false,
        encode = {
            begin(8)
            u8(type)
            f64(value)
            text(name)
        },
        generated = { metric(it, name, generated()) },
    )
}
