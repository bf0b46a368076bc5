plugins {
    id("com.android.library")
    id("org.jetbrains.kotlin.android")
}

android {
    namespace = "app.rez.monitor"
    compileSdk = 35

    defaultConfig {
        // Frame metrics and the callback of the default network begin with API 24.
        minSdk = 24
        consumerProguardFiles("consumer-rules.pro")
    }

    sourceSets {
        getByName("main") {
            kotlin.srcDir("src/main/kotlin")
            // `cargo xtask package android` writes one folder per ABI, linked for pages of 16 KB.
            jniLibs.srcDir("src/main/jniLibs")
        }
    }

    packaging {
        jniLibs {
            // Loaded from the APK itself, where the libraries are aligned to pages of 16 KB.
            useLegacyPackaging = false
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

kotlin {
    explicitApi()
}

dependencies {
    // The AAR has the library of each ABI; from 5.17 on they are aligned to pages of 16 KB.
    implementation("net.java.dev.jna:jna:5.19.1@aar")
    compileOnly("com.squareup.okhttp3:okhttp:5.5.1")
}
