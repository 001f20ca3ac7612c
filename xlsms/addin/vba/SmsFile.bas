Attribute VB_Name = "SmsFile"
Option Explicit
' The small files that Python and the tick leave for each other. VBA's own words for files know only the code page of the
' system; where they fail on Windows, the file system object is asked, which takes any name.

Private mSystem As Object

Public Function FirstLine(ByVal path As String) As String
    ' Empty when the file is not there, or is just being written.
    FirstLine = LineByVba(path)
    If Len(FirstLine) = 0 And IsWindows() Then FirstLine = LineBySystem(path)
End Function

Private Function LineByVba(ByVal path As String) As String
    Dim file As Integer, line As String
    On Error Resume Next
    file = FreeFile
    Open path For Input Access Read Shared As #file
    Line Input #file, line
    Close #file
    LineByVba = line
End Function

Private Function LineBySystem(ByVal path As String) As String
    On Error Resume Next
    LineBySystem = System().OpenTextFile(path, 1).ReadLine
End Function

Public Sub WriteLine(ByVal path As String, ByVal text As String)
    If Not WrittenByVba(path, text) And IsWindows() Then WriteBySystem path, text
End Sub

Private Function WrittenByVba(ByVal path As String, ByVal text As String) As Boolean
    Dim file As Integer
    On Error GoTo refused
    file = FreeFile
    Open path For Output As #file
    Print #file, text
    Close #file
    WrittenByVba = True
refused:
End Function

Private Sub WriteBySystem(ByVal path As String, ByVal text As String)
    Dim file As Object
    On Error Resume Next
    Set file = System().CreateTextFile(path, True)
    file.WriteLine text
    file.Close
End Sub

Public Function ChangedAt(ByVal path As String) As Date
    ' Long ago when the file is not there.
    ChangedAt = TimeByVba(path)
    If ChangedAt = 0 And IsWindows() Then ChangedAt = TimeBySystem(path)
End Function

Private Function TimeByVba(ByVal path As String) As Date
    On Error Resume Next
    TimeByVba = FileDateTime(path)
End Function

Private Function TimeBySystem(ByVal path As String) As Date
    On Error Resume Next
    TimeBySystem = System().GetFile(path).DateLastModified
End Function

Public Sub Remove(ByVal path As String)
    RemoveByVba path
    If IsWindows() Then RemoveBySystem path
End Sub

Private Sub RemoveByVba(ByVal path As String)
    On Error Resume Next
    Kill path
End Sub

Private Sub RemoveBySystem(ByVal path As String)
    On Error Resume Next
    System().DeleteFile path
End Sub

Public Sub MakeFolder(ByVal path As String)
    ' With the one above it; most of the time both are there.
    Dim inner As String, above As String
    inner = Left$(path, Len(path) - 1)
    above = Left$(inner, InStrRev(inner, Mid$(path, Len(path), 1)) - 1)
    MakeByVba above, inner
    If IsWindows() Then MakeBySystem above, inner
End Sub

Private Sub MakeByVba(ByVal above As String, ByVal inner As String)
    On Error Resume Next
    MkDir above
    MkDir inner
End Sub

Private Sub MakeBySystem(ByVal above As String, ByVal inner As String)
    On Error Resume Next
    System().CreateFolder above
    System().CreateFolder inner
End Sub

Public Function LocalFolder() As String
    ' The user's own folder for data of programs, on Windows.
    LocalFolder = Environ$("LOCALAPPDATA")
    If IsWindows() Then LocalFolder = CreateObject("WScript.Shell").ExpandEnvironmentStrings("%LOCALAPPDATA%")
End Function

Private Function IsWindows() As Boolean
    IsWindows = SmsLaunch.Launcher() = "windows"
End Function

Private Function System() As Object
    If mSystem Is Nothing Then Set mSystem = CreateObject("Scripting.FileSystemObject")
    Set System = mSystem
End Function
