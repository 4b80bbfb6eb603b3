# What `cmake --install` puts where: the command, the libraries, headers, pkg-config files and the CMake
# package. Every file is relocatable: nothing names the prefix.
include(CMakePackageConfigHelpers)

if(TARGET corm)
  install(TARGETS corm RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT corm)
endif()
install(TARGETS corm_shared EXPORT corm-shared
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  COMPONENT libcorm0 NAMELINK_COMPONENT libcorm-dev)
install(TARGETS corm_static corm_fake EXPORT corm-static
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libcorm-dev)
install(DIRECTORY include/corm DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT libcorm-dev
  FILES_MATCHING PATTERN "*.h")

set(CORM_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/corm)
foreach(kind shared static)
  install(EXPORT corm-${kind} NAMESPACE corm:: DESTINATION ${CORM_CMAKE_DIR}
    COMPONENT libcorm-dev)
endforeach()
list(JOIN CORM_LIBRARIES " " CORM_REQUIRES_PRIVATE)
list(JOIN CORM_FAKE_LIBRARIES " " CORM_FAKE_REQUIRES)
configure_package_config_file(cmake/cormConfig.cmake.in ${CMAKE_BINARY_DIR}/cormConfig.cmake
  INSTALL_DESTINATION ${CORM_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/cormConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/cormConfig.cmake ${CMAKE_BINARY_DIR}/cormConfigVersion.cmake
  DESTINATION ${CORM_CMAKE_DIR} COMPONENT libcorm-dev)

file(RELATIVE_PATH CORM_PC_PREFIX
  /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
foreach(name corm corm-testing)
  configure_file(cmake/${name}.pc.in ${CMAKE_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT libcorm-dev)
endforeach()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT libcorm-dev)

if(TARGET corm)
  install(FILES packaging/systemd/corm.service packaging/systemd/corm.socket
    DESTINATION lib/systemd/system COMPONENT corm)
endif()
