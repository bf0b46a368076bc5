# For React Native, by path: nothing is downloaded. Other apps use Package.swift.
Pod::Spec.new do |spec|
  spec.name = 'RezMonitor'
  spec.summary = 'REZ Monitor: errors, timings and analytics events from a durable queue on the device.'
  spec.version = File.read(File.join(__dir__, '..', 'Cargo.toml'))[/^version = "(.+)"$/, 1]
  spec.homepage = 'https://rezapp.com'
  spec.license = { type: 'MIT OR Apache-2.0' }
  spec.author = 'REZ'
  spec.source = { path: '.' }
  spec.ios.deployment_target = '15.0'
  spec.swift_version = '6.0'
  spec.source_files = 'Sources/RezMonitor/**/*.swift'
  spec.resource_bundles = { 'RezMonitor' => ['Sources/RezMonitor/Resources/PrivacyInfo.xcprivacy'] }
  spec.dependency 'RezMonitorCore'
end
