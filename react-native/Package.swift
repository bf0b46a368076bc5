// swift-tools-version: 6.0

import Foundation
import PackageDescription

// React Native's SwiftPM mode links this package from `build/generated/autolinking/libs` of the app; relative paths start there.
let reactNative: Package.Dependency = .package(name: "ReactNative", path: "../../../../xcframeworks")
let generated: Package.Dependency = .package(name: "React-GeneratedCode", path: "../../../ios")

// The npm package carries the Swift library; in the repository it is beside this folder.
let vendored = "vendor/RezMonitor"
let isPacked = FileManager.default.fileExists(atPath: Context.packageDirectory + "/" + vendored)
let library: Package.Dependency = .package(name: "RezMonitor", path: isPacked ? vendored : "../ios")

let package = Package(
    name: "RezMonitorReactNative",
    platforms: [.iOS("15.1")],
    products: [
        .library(name: "RezMonitorReactNative", targets: ["RezMonitorReactNative", "RezMonitorImpl"])
    ],
    dependencies: [reactNative, generated, library],
    targets: [
        // Objective-C++, Objective-C and Swift: SwiftPM takes one language in a target.
        .target(
            name: "RezMonitorReactNative",
            dependencies: [
                "RezMonitorBridge",
                .product(name: "ReactHeaders", package: "ReactNative"),
                .product(name: "ReactNativeHeaders", package: "ReactNative"),
                .product(name: "ReactNativeDependenciesHeaders", package: "ReactNative"),
                .product(name: "ReactAppHeaders", package: "React-GeneratedCode"),
            ],
            path: "ios/Adapter",
            publicHeadersPath: "include",
            // As in the framework of React Native: these names decide the layout of its classes.
            cxxSettings: [
                .define("DEBUG", .when(configuration: .debug)),
                .define("NDEBUG", .when(configuration: .release)),
            ]
        ),
        .target(name: "RezMonitorBridge", path: "ios/Bridge", publicHeadersPath: "include"),
        .target(
            name: "RezMonitorImpl",
            dependencies: ["RezMonitorBridge", .product(name: "RezMonitor", package: "RezMonitor")],
            path: "ios/Impl"
        ),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
