-- xlsms: what the add-in in Excel may start. Excel can run this file and cannot change it.
-- Written by: xlsms addin install

property interpreter : "INTERPRETER"
property verbs : {VERBS}

-- The first line that is handed over is a verb, each other one NAME=VALUE for the environment of the new process.
on startPython(handedOver)
	set AppleScript's text item delimiters to linefeed
	set handedLines to text items of handedOver
	set AppleScript's text item delimiters to ""
	set verb to item 1 of handedLines
	if verb is not in verbs then return "refused"
	set environment to ""
	repeat with each in rest of handedLines
		if (each as text) does not start with "XLSMS_" then return "refused"
		set environment to environment & quoted form of (each as text) & " "
	end repeat
	try
		do shell script "/bin/test -x " & quoted form of interpreter
	on error
		return "no-interpreter"
	end try
	try
		do shell script "/usr/bin/env " & environment & quoted form of interpreter & " -I -m xlsms.addin " & quoted form of verb & " >/dev/null 2>&1 &"
	on error
		return "failed"
	end try
	return "started"
end startPython
