# The generated module of RezMonitor.podspec, and the XCFramework beside it. A pod has one module, so it is a pod of its own.
Pod::Spec.new do |spec|
  spec.name = 'RezMonitorCore'
  spec.summary = 'Generated calls of the library of REZ Monitor. Use RezMonitor.'
  spec.version = File.read(File.join(__dir__, '..', 'Cargo.toml'))[/^version = "(.+)"$/, 1]
  spec.homepage = 'https://rezapp.com'
  spec.license = { type: 'MIT OR Apache-2.0' }
  spec.author = 'REZ'
  spec.source = { path: '.' }
  spec.ios.deployment_target = '15.0'
  spec.swift_version = '6.0'
  spec.source_files = 'Sources/RezMonitorCore/*.swift'
  spec.vendored_frameworks = 'RezMonitorFFI.xcframework'
end
