Attribute VB_Name = "SmsTick"
Option Explicit
' Looks every few seconds whether there is news for a workbook that is open. A look reads one small file that a
' Python process in the background writes; Python is started for the workbook only when that file has changed.
' OnTime runs in Ready mode only, so nothing happens while a cell is being edited. A workbook is let go when it is no longer
' open, and not when it is about to be closed: that may be called off.

Private Const EVERY As Long = 5 ' seconds
Private Const PATIENCE As Long = 120 ' seconds after which whoever listens must have shown life
Private Const SECONDS As Double = 86400 ' in a day
Private Const IDENTITY As String = "xlsmsId" ' the property that a workbook of ours has

Private mBooks As Collection
Private mEvents As Object
Private mNext As Date ' when the tick is due; the same value cancels it
Private mAsked As Date ' when somebody was last started to listen
Private mCount As Long
Private mService As String ' how the service was at the last look

Public Sub Start()
    ' Harmless when all of it is there already.
    Dim events As Object
    If mBooks Is Nothing Then Set mBooks = New Collection
    If mEvents Is Nothing And SmsLaunch.Launcher() <> "calc" Then
        Set events = New SmsEvents
        Set events.App = Application
        Set mEvents = events
        ConsiderAll
    End If
    If mBooks.Count > 0 Then Schedule
End Sub

Public Sub Halt()
    ' The add-in is being closed.
    Cancel
    Do While Followed() > 0
        DropAt 1
    Loop
    Set mEvents = Nothing
End Sub

Public Function Followed() As Long
    If Not mBooks Is Nothing Then Followed = mBooks.Count
End Function

Public Sub LookOnce()
    ' A workbook is being left, and is still the active one: whether it was the last, the next tick sees.
    Start
    Schedule
End Sub

Public Sub ConsiderAll()
    ' Those that were open before the add-in was: for them no event comes.
    Dim host As Object, book As Object
    On Error Resume Next
    Set host = Application
    For Each book In host.Workbooks
        Consider book
    Next book
End Sub

Public Sub Consider(ByVal book As Object)
    ' Follow a workbook that xlsms has to do with.
    Dim id As String
    On Error Resume Next
    id = book.CustomDocumentProperties(IDENTITY).Value
    On Error GoTo 0
    If Len(id) > 0 Then Follow book
End Sub

Public Function Follow(ByVal book As Object) As String
    ' The file with its news.
    Dim one As SmsBook, at As Long
    Start
    at = PlaceOf(book)
    If at = 0 Then
        Set one = New SmsBook
        Set one.Book = book
        mCount = mCount + 1
        one.News = Folder() & CStr(CLng(Date)) & "-" & CStr(CLng(Timer)) & "-" & CStr(mCount) & "-" & Window() & ".news"
        mBooks.Add one
        SmsFile.MakeFolder Folder()
        ShowLife one
        Schedule
        Follow = one.News
    Else
        Set one = mBooks.Item(at)
        Follow = one.News
    End If
End Function

Public Sub Tick()
    Dim at As Long, one As SmsBook
    mNext = 0
    If mBooks Is Nothing Then Exit Sub
    For at = mBooks.Count To 1 Step -1
        Set one = mBooks.Item(at)
        If IsOpen(one) Then
            Look one
        Else
            DropAt at
        End If
    Next at
    If mBooks.Count = 0 Then
        SmsRibbon.Renew
        Exit Sub
    End If
    If NeedsListener() Then
        mAsked = Now
        SmsLaunch.Started "listen", SmsLaunch.Request(Nothing, Folder() & "listener.news", False)
    End If
    LookAtService
    Schedule
End Sub

Public Function ServiceWord() As String
    ' running, stopped or away; empty when nobody has looked for a while. It stands here as the ribbon asks often.
    ServiceWord = mService
End Function

Private Sub LookAtService()
    Dim path As String
    mService = ""
    path = Folder() & "service.state"
    If (Now - SmsFile.ChangedAt(path)) * SECONDS < PATIENCE Then mService = SmsFile.FirstLine(path)
    SmsRibbon.Renew
End Sub

Private Sub Look(ByVal one As SmsBook)
    Dim word As String
    ShowLife one
    If Not IsReady() Then Exit Sub
    word = SmsFile.FirstLine(one.News)
    If word = one.Seen Or Len(word) = 0 Then Exit Sub
    one.Seen = word
    SmsLaunch.Started "update", SmsLaunch.Request(one.Book, one.News, False)
End Sub

Private Sub ShowLife(ByVal one As SmsBook)
    ' Beside the news: the workbook's name. The file's time says that it is still open.
    On Error Resume Next ' it may be closing
    SmsFile.WriteLine OpenMark(one.News), SmsLaunch.Encoded(SmsLaunch.FullNameOf(one.Book))
End Sub

Public Function OpenMark(ByVal news As String) As String
    OpenMark = Left$(news, Len(news) - Len(".news")) & ".open"
End Function

Private Function NeedsListener() As Boolean
    If (Now - mAsked) * SECONDS < PATIENCE Then Exit Function
    NeedsListener = (Now - SmsFile.ChangedAt(Folder() & "listener.life")) * SECONDS > PATIENCE
End Function

Public Function Folder() As String
    ' Where Python and the tick leave word for each other.
    Folder = SmsText.Setting("folder")
    If Len(Folder) = 0 Then Folder = SmsFile.LocalFolder() & "\xlsms\addin\"
End Function

Private Function Window() As String
    Dim host As Object
    Window = "0"
    On Error Resume Next
    Set host = Application
    Window = CStr(Abs(host.Hwnd))
End Function

Private Function IsReady() As Boolean
    Dim host As Object
    IsReady = True
    On Error Resume Next
    Set host = Application
    IsReady = host.Ready
End Function

Private Function IsOpen(ByVal one As SmsBook) As Boolean
    ' Whether it is among those that are open; one that was closed is never opened again for this.
    Dim host As Object, other As Object, name As String, found As String
    On Error Resume Next
    name = SmsLaunch.FullNameOf(one.Book)
    If Len(name) = 0 Then Exit Function
    Set host = Application
    For Each other In host.Workbooks
        found = ""
        found = SmsLaunch.FullNameOf(other)
        If found = name Then IsOpen = True
    Next other
End Function

Private Function PlaceOf(ByVal book As Object) As Long
    Dim at As Long, wanted As String, name As String, one As SmsBook
    If mBooks Is Nothing Then Exit Function
    On Error Resume Next
    wanted = SmsLaunch.FullNameOf(book)
    For at = 1 To mBooks.Count
        name = ""
        Set one = mBooks.Item(at)
        name = SmsLaunch.FullNameOf(one.Book)
        If Len(name) > 0 And name = wanted Then
            PlaceOf = at
            Exit Function
        End If
    Next at
End Function

Private Sub DropAt(ByVal at As Long)
    Dim one As SmsBook
    Set one = mBooks.Item(at)
    mBooks.Remove at
    SmsFile.Remove OpenMark(one.News)
End Sub

Private Sub Schedule()
    If mNext <> 0 Then Exit Sub
    mNext = Now + TimeSerial(0, 0, EVERY)
    On Error GoTo Refused
    Application.OnTime mNext, Procedure()
    Exit Sub
Refused:
    mNext = 0 ' the next button or workbook asks again
End Sub

Private Sub Cancel()
    If mNext = 0 Then Exit Sub
    On Error Resume Next
    Application.OnTime mNext, Procedure(), , False
    mNext = 0
End Sub

Private Function Procedure() As String
    Procedure = "'" & Replace(ThisWorkbook.Name, "'", "''") & "'!SmsTick.Tick"
End Function
