# reco_bundle(target severity): cmake --install copies the libraries that target needs, and that the system has not, into
# <prefix>/lib/reco, and lets the installed <prefix>/libexec/reco/<target> look there only. A library found nowhere is reported
# with severity.
function(reco_bundle target severity)
  get_target_property(type ${target} TYPE)
  set(kind EXECUTABLES)
  if(type STREQUAL MODULE_LIBRARY)
    set(kind MODULES)
  endif()
  install(CODE "
set(libraries \"\")
set(missing \"\")
file(GET_RUNTIME_DEPENDENCIES ${kind} \"$<TARGET_FILE:${target}>\"
  RESOLVED_DEPENDENCIES_VAR libraries UNRESOLVED_DEPENDENCIES_VAR missing
  POST_EXCLUDE_REGEXES \"^/lib/\" \"^/lib64/\" \"^/usr/lib/\")
foreach(library IN LISTS libraries) # libcudnn opens its parts by name at run time
  if(library MATCHES \"/libcudnn\\\\.so\")
    get_filename_component(dir \"\${library}\" DIRECTORY)
    file(GLOB parts \"\${dir}/libcudnn_*.so.*\")
    list(APPEND libraries \${parts})
  endif()
endforeach()
if(missing)
  message(${severity} \"not bundled, since not found: \${missing}\")
endif()
file(INSTALL \${libraries} DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/reco\" FOLLOW_SYMLINK_CHAIN)
file(RPATH_SET FILE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/libexec/reco/$<TARGET_FILE_NAME:${target}>\"
  NEW_RPATH \"\\$ORIGIN/../../lib/reco\")")
endfunction()
