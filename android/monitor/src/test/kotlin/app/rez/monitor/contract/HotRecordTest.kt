package app.rez.monitor.contract

import app.rez.monitor.*
import app.rez.monitor.internal.HotRecord
import app.rez.monitor.internal.Recorder
import app.rez.monitor.testaccess.testClock
import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.io.File

/** The records of `tests/contract/hot/v1.json`, which the decoder in Rust reads. */
class HotRecordTest {
    private val file = File(System.getProperty("rez.contract"), "hot/v1.json")
    private val records = JSON.readTree(file)["records"].toList()

    @TestFactory
    fun `every call is encoded to the bytes of the file`(): List<DynamicTest> = records.map { record ->
        dynamicTest(record["what"].asText()) {
            // A refused record is not overwritten by an id.
            rowsOf({ consentMonitoring = Consent.DENIED; consentAnalytics = Consent.DENIED; logLevel = Level.TRACE }) {
                val call = (record["call"] as ObjectNode).deepCopy()
                if (call.verb != "breadcrumb") call.put("refused", "consent")
                Calls().make(call)
                val written = HotRecord.take().also { it.release() }
                val hex = written.bytes.take(written.size).joinToString("") { "%02x".format(it) }
                assertEquals(record["hex"].asText(), hex)
            }
        }
    }

    @Test
    fun `every record has the row that the generated call gives`() {
        for (record in records) {
            val generated = row(record["call"], isHot = false)
            assertEquals(generated, row(record["call"], isHot = true), record["what"].asText())
            if (System.getProperty("rez.bless") == "1") (record as ObjectNode).set<JsonNode>("row", generated)
            assertEquals(record["row"], generated, record["what"].asText())
        }
        if (System.getProperty("rez.bless") == "1") {
            val lines = records.joinToString(",\n") { "    " + JSON.writeValueAsString(it) }
            file.writeText("{\n  \"what\": ${JSON.readTree(file)["what"]},\n  \"records\": [\n$lines\n  ]\n}\n")
        }
        assertTrue(records.size >= 20)
    }

    /** Kind and content of the row of a call; of the error after it, if the call has none. Slow ones have a message in addition. */
    private fun row(call: JsonNode, isHot: Boolean): JsonNode {
        testClock(1_795_400_000_000, 1_000_000)
        try {
            val row = rowsOf({ recordedHeaders = listOf("x-cache") }) {
                Recorder.engine!!.recordBy(jni = isHot)
                Calls().make(call)
                if (call.verb == "breadcrumb") RezMonitor.captureError("After", "it") { language = Language.JAVA }
            }.first()
            return JSON.createObjectNode().set<ObjectNode>("kind", row["kind"]).set("json", row["json"])
        } finally {
            realClock()
        }
    }
}
