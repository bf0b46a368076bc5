require 'json'

package = JSON.parse(File.read(File.join(__dir__, 'package.json')))

# The module of React Native. RezMonitor and RezMonitorCore, which has the XCFramework, are pods beside it, by path: see
# plugin/src/podfile.ts for the two lines of a Podfile.
Pod::Spec.new do |spec|
  spec.name = 'RezMonitorReactNative'
  spec.summary = package['description']
  spec.version = package['version']
  spec.homepage = 'https://rezapp.com'
  spec.license = package['license']
  spec.author = 'REZ'
  spec.source = { path: '.' }
  spec.ios.deployment_target = '15.1'
  spec.swift_version = '6.0'
  spec.source_files = 'ios/{Adapter,Bridge,Impl}/**/*.{h,m,mm,swift}'
  # The header of the adapter is C++, which the module for Swift cannot have.
  spec.public_header_files = 'ios/Bridge/include/*.h'
  spec.private_header_files = 'ios/Adapter/include/*.h'
  # Before install_modules_dependencies, which adds to it.
  spec.pod_target_xcconfig = { 'DEFINES_MODULE' => 'YES' }
  spec.dependency 'RezMonitor', package['version']
  install_modules_dependencies(spec)
end
