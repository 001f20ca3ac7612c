Attribute VB_Name = "SmsLaunch"
Option Explicit
' Starts Python for a verb: a fixed command, and the rest in the environment of the new process.
' Nothing waits for it; it attaches to Excel by itself.

Private Const LONGEST As Long = 8000 ' characters of a list of rows; a longer one Python asks Excel for

Public Function IsVerb(ByVal verb As String) As Boolean
    ' No other text ever stands on the command line.
    Select Case verb
        Case "preview", "send", "send-selected", "mark", "stop", "refresh", "replies", "answer", "columns", "new", _
             "report", "start", "settings", "help", "update", "listen"
            IsVerb = True
    End Select
End Function

Public Function LauncherFor(ByVal system As String) As String
    If InStr(1, system, "Mac", vbTextCompare) > 0 Then
        LauncherFor = "mac"
    ElseIf InStr(1, system, "Unix", vbTextCompare) > 0 Then
        LauncherFor = "calc" ' only LibreOffice says so: there is no Excel there
    Else
        LauncherFor = "windows"
    End If
End Function

Public Function Launcher() As String
    Launcher = LauncherFor(Application.OperatingSystem)
End Function

Public Function CommandLine(ByVal interpreter As String, ByVal verb As String) As String
    ' Empty when it cannot be a command of ours.
    If Not IsVerb(verb) Or Len(interpreter) = 0 Or InStr(interpreter, """") > 0 Then Exit Function
    CommandLine = """" & interpreter & """ -I -m xlsms.addin " & verb
End Function

Public Function Encoded(ByVal plain As String) As String
    ' Percent-encoded UTF-8: what comes out has no character that means anything to a shell.
    Dim at As Long, code As Long, low As Long, result As String
    at = 1
    Do While at <= Len(plain)
        code = AscW(Mid$(plain, at, 1)) And 65535
        If code >= 55296 And code <= 56319 And at < Len(plain) Then
            low = AscW(Mid$(plain, at + 1, 1)) And 65535
            If low >= 56320 And low <= 57343 Then
                code = 65536 + (code - 55296) * 1024 + (low - 56320)
                at = at + 1
            End If
        End If
        result = result & OfCode(code)
        at = at + 1
    Loop
    Encoded = result
End Function

Private Function OfCode(ByVal code As Long) As String
    If code >= 55296 And code <= 57343 Then code = 65533 ' half of a pair
    Select Case code
        Case 44 To 58, 65 To 90, 95, 97 To 122, 126 ' , - . / digits : letters _ ~
            OfCode = ChrW$(code)
        Case Is < 128
            OfCode = OfByte(code)
        Case Is < 2048
            OfCode = OfByte(192 + code \ 64) & OfByte(128 + code Mod 64)
        Case Is < 65536
            OfCode = OfByte(224 + code \ 4096) & OfByte(128 + (code \ 64) Mod 64) & OfByte(128 + code Mod 64)
        Case Else
            OfCode = OfByte(240 + code \ 262144) & OfByte(128 + (code \ 4096) Mod 64) & _
                     OfByte(128 + (code \ 64) Mod 64) & OfByte(128 + code Mod 64)
    End Select
End Function

Private Function OfByte(ByVal value As Long) As String
    OfByte = "%" & Right$("0" & Hex$(value), 2)
End Function

Public Function RowSpans(ByVal cells As Object) As String
    ' First and last row of each selected block, as 5:9,12:12.
    Dim block As Object, spans As String
    For Each block In cells.Areas
        spans = spans & "," & CStr(block.Row) & ":" & CStr(block.Row + block.Rows.Count - 1)
        If Len(spans) > LONGEST Then Exit Function
    Next block
    RowSpans = Mid$(spans, 2)
End Function

Public Function Request(ByVal book As Object, ByVal news As String, ByVal here As Boolean) As Variant
    ' NAME=VALUE for the new process; what cannot be read stays empty. `here`: with the sheet and what is selected.
    Dim window As String, path As String, name As String, sheet As String, kind As String
    Dim rows As String, cell As String, host As Object
    Set host = Application
    On Error Resume Next
    window = CStr(host.Hwnd)
    path = FullNameOf(book)
    name = book.Name
    If here Then
        sheet = host.ActiveSheet.Name
        kind = TypeName(host.Selection)
        If kind = "Range" Then
            rows = RowSpans(host.Selection)
            cell = Replace(host.ActiveCell.Address, "$", "")
        End If
    End If
    On Error GoTo 0
    Request = Array("XLSMS_HOST=" & IIf(Launcher() = "calc", "calc", "excel"), _
        "XLSMS_LANGUAGE=" & SmsText.Language(), "XLSMS_HWND=" & Encoded(window), "XLSMS_BOOK=" & Encoded(path), _
        "XLSMS_NAME=" & Encoded(name), "XLSMS_SHEET=" & Encoded(sheet), "XLSMS_SELECTED=" & Encoded(kind), _
        "XLSMS_SELECTION=" & rows, "XLSMS_CELL=" & cell, "XLSMS_NEWS=" & Encoded(news))
End Function

Public Function FullNameOf(ByVal book As Object) As String
    FullNameOf = book.FullName
    If FullNameOf = book.Name And Len(book.Path) > 0 Then FullNameOf = book.Path & "/" & book.Name ' LibreOffice
End Function

Public Sub Launch(ByVal verb As String)
    ' What a button does: for the active workbook, and with a word when it cannot be.
    Dim book As Object, trouble As String
    Set book = SmsRibbon.UsersBook()
    If book Is Nothing Then
        trouble = Started(verb, Request(book, "", False))
    Else
        trouble = Started(verb, Request(book, SmsTick.Follow(book), True))
    End If
    If Len(trouble) > 0 Then MsgBox SmsText.Wording(trouble), vbExclamation, "SMS"
End Sub

Public Function Started(ByVal verb As String, ByVal lines As Variant) As String
    ' Empty, or which text says why not.
    Dim command As String, kind As String
    kind = Launcher()
    If kind = "mac" Then
        Started = StartedOnMac(verb, lines)
        Exit Function
    End If
    command = CommandLine(Interpreter(kind), verb)
    If Len(command) = 0 Then
        Started = "no-interpreter"
    ElseIf kind = "windows" Then
        Started = StartedOnWindows(command, lines)
    Else
        Started = StartedInCalc(command, lines)
    End If
End Function

Public Function Interpreter(ByVal kind As String) As String
    ' The installer writes it on the hidden sheet. An add-in that was built for everybody has it in a file of the user's.
    Dim files As Object, path As String, line As String
    Interpreter = SmsText.Setting("interpreter")
    If Len(Interpreter) > 0 Or kind <> "windows" Then Exit Function
    On Error Resume Next
    Set files = CreateObject("Scripting.FileSystemObject")
    path = SmsFile.LocalFolder() & "\xlsms\interpreter.txt"
    line = files.OpenTextFile(path, 1, False, -1).ReadLine ' UTF-16
    Interpreter = Trim$(line)
End Function

Private Function StartedOnWindows(ByVal command As String, ByVal lines As Variant) As String
    Dim shell As Object, environment As Object, line As Variant, at As Long, path As String
    On Error GoTo refused
    Set shell = CreateObject("WScript.Shell")
    path = shell.ExpandEnvironmentStrings(Mid$(command, 2, InStr(2, command, """") - 2))
    If Not CreateObject("Scripting.FileSystemObject").FileExists(path) Then
        StartedOnWindows = "no-interpreter"
        Exit Function
    End If
    Set environment = shell.Environment("PROCESS")
    For Each line In lines
        at = InStr(line, "=")
        environment(Left$(line, at - 1)) = Mid$(line, at + 1)
    Next line
    shell.Run command, 0, False ' no cmd.exe in between, no window, no waiting
    On Error Resume Next ' it has started; an empty variable may be gone already
    For Each line In lines
        environment.Remove Left$(line, InStr(line, "=") - 1)
    Next line
    Exit Function
refused:
    StartedOnWindows = "not-started"
End Function

Private Function StartedOnMac(ByVal verb As String, ByVal lines As Variant) As String
    ' The script has its own fixed command; it stands where Excel may read and not write.
    Dim answer As String
    #If Mac Then
        On Error Resume Next
        answer = AppleScriptTask("xlsms.applescript", "startPython", verb & vbLf & Join(lines, vbLf))
        On Error GoTo 0
    #End If
    StartedOnMac = TroubleOnMac(answer)
End Function

Public Function TroubleOnMac(ByVal answer As String) As String
    ' Which text says what the script answered; nothing is what comes when it is not there or cannot be read.
    Select Case answer
        Case "started"
        Case ""
            TroubleOnMac = "no-script"
        Case "no-interpreter"
            TroubleOnMac = "no-interpreter"
        Case Else
            TroubleOnMac = "script-failed" ' it is there, and refused or failed
    End Select
End Function

Private Function StartedInCalc(ByVal command As String, ByVal lines As Variant) As String
    ' LibreOffice splits the line at blanks and starts the program itself; there is no shell in between.
    On Error GoTo refused
    Shell "/usr/bin/env " & Join(lines, " ") & " " & command, 0
    Exit Function
refused:
    StartedInCalc = "not-started"
End Function
