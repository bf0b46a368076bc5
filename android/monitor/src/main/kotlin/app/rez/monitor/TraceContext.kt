package app.rez.monitor

/**
 * A position in a trace, by the rules of W3C Trace Context.
 *
 * [RezMonitor.startSpan], [RezMonitor.trackScreenLoad] and [RezMonitor.trackApiCall] have one; [RezMonitor.newTrace] makes one for an
 * app that measures on its own.
 */
public class TraceContext internal constructor(
    internal val high: Long,
    internal val low: Long,
    internal val span: Long,
    internal val parent: Long,
    /** The decision of the server whose trace is continued. `null`: not known. */
    public val isSampled: Boolean?,
) {
    /** 32 hexadecimal digits in lower case. */
    public val traceId: String
        get() = hex(high) + hex(low)

    /** 16 hexadecimal digits in lower case. */
    public val spanId: String
        get() = hex(span)

    /** The span that contains it. `null`: it is the root of its trace. */
    public val parentSpanId: String?
        get() = if (parent == 0L) null else hex(parent)

    override fun equals(other: Any?): Boolean =
        other is TraceContext && high == other.high && low == other.low && span == other.span && parent == other.parent &&
            isSampled == other.isSampled

    override fun hashCode(): Int = low.hashCode() * 31 + span.hashCode()

    override fun toString(): String = "$traceId/$spanId"

    public companion object {
        /**
         * A position with these ids; `null` if one has another length than 32, 16 and 16 digits, is not hexadecimal, or is zero where
         * it must not be.
         */
        @JvmStatic
        @JvmOverloads
        public fun of(
            traceId: String,
            spanId: String,
            parentSpanId: String? = null,
            isSampled: Boolean? = null,
        ): TraceContext? {
            if (traceId.length != 32) return null
            val high = bits(traceId.substring(0, 16)) ?: return null
            val low = bits(traceId.substring(16)) ?: return null
            val span = bits(spanId) ?: return null
            val parent = if (parentSpanId == null) 0 else bits(parentSpanId) ?: return null
            return if (high or low == 0L || span == 0L) null else TraceContext(high, low, span, parent, isSampled)
        }

        private fun hex(bits: Long): String = bits.toULong().toString(16).padStart(16, '0')

        private fun bits(hex: String): Long? =
            if (hex.length == 16 && hex.all { it in "0123456789abcdefABCDEF" }) hex.toULong(16).toLong() else null
    }
}
